import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { encodeCloseReason, limits, subprotocol, webSocketPath } from '@openclaw/protocol';
import { WebSocketServer, type WebSocket } from 'ws';
import {
  AuthError,
  credentialsOf,
  offeredProtocols,
  type Authenticate,
  type Identity,
} from './auth/identity.ts';

/** What is told of an upgrade that came through. */
export interface Accepted {
  readonly ws: WebSocket;
  readonly socket: Duplex;
  readonly identity: Identity;
}

export interface UpgradeOptions {
  readonly authenticate: Authenticate;
  readonly allowedOrigins: readonly string[];
  /** Null when there is room, else in how many milliseconds to come back. */
  readonly busyForMs: () => number | null;
  readonly onAccepted: (accepted: Accepted) => void;
  readonly onRefused: (status: number) => void;
}

interface No {
  readonly status: 401 | 403 | 404 | 503;
  readonly closeCode: 4401 | 4403 | 4503 | null;
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** How long a peer may take from its request to the open socket. */
const upgradeTimeoutMs = 5_000;

/** Handles HTTP upgrades: path, Origin, room, identity; then the WebSocket handshake. */
export function createUpgradeHandler(options: UpgradeOptions) {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.frameBytes,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });

  async function admit(request: IncomingMessage): Promise<Identity | No> {
    if (new URL(request.url ?? '/', 'http://hub').pathname !== webSocketPath) {
      return { status: 404, closeCode: null, reason: `the WebSocket is at ${webSocketPath}` };
    }
    if (!isOriginAllowed(request, options.allowedOrigins)) {
      return { status: 403, closeCode: null, reason: 'this Origin may not connect' };
    }
    const afterMs = options.busyForMs();
    if (afterMs !== null) return busy(afterMs);
    try {
      return await options.authenticate(credentialsOf(request));
    } catch (error) {
      if (error instanceof AuthError)
        return { status: 401, closeCode: 4401, reason: error.message };
      return busy(1_000);
    }
  }

  return function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const timer = setTimeout(() => socket.destroy(), upgradeTimeoutMs);
    void admit(request).then((admitted) => {
      clearTimeout(timer);
      if (socket.destroyed) return;
      if (!('status' in admitted)) {
        server.handleUpgrade(request, socket, head, (ws) => {
          options.onAccepted({ ws, socket, identity: admitted });
        });
        return;
      }
      options.onRefused(admitted.status);
      const { closeCode, retryAfterMs, reason } = admitted;
      if (
        closeCode !== null &&
        offeredProtocols(request.headers['sec-websocket-protocol']).includes(subprotocol)
      ) {
        // A browser cannot read an HTTP status, but it can read a close code.
        server.handleUpgrade(request, socket, head, (ws) => {
          ws.close(
            closeCode,
            retryAfterMs === undefined ? reason : encodeCloseReason(retryAfterMs),
          );
        });
      } else {
        refuseByStatus(socket, admitted);
      }
    });
  };
}

function busy(afterMs: number): No {
  return {
    status: 503,
    closeCode: 4503,
    reason: 'the hub is draining or full',
    retryAfterMs: afterMs,
  };
}

function isOriginAllowed(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  if (allowed.includes(origin)) return true;
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}

const statusTexts = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
} as const;

function refuseByStatus(socket: Duplex, { status, reason, retryAfterMs }: No): void {
  const body = JSON.stringify({ error: { message: reason } });
  const headers = [
    `HTTP/1.1 ${status} ${statusTexts[status]}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
    ...(retryAfterMs === undefined ? [] : [`Retry-After: ${Math.ceil(retryAfterMs / 1000)}`]),
    'Connection: close',
  ];
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}
