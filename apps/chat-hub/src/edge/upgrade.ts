import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ChatStoreError } from '@openclaw/chat-store';
import { encodeCloseReason, limits, subprotocol, webSocketPath } from '@openclaw/protocol';
import type { Logger } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Admission } from './admission.ts';
import type { FailedSignIns } from './failed-sign-ins.ts';
import type { Gate } from './origin-policy.ts';
import {
  AuthError,
  credentialsOf,
  isFailedSignIn,
  offeredProtocols,
  type Authenticate,
  type Credentials,
  type Identity,
} from './identity.ts';
import type { RemoteAddress } from './remote-address.ts';
import {
  refusalOf,
  refuseByStatus,
  tooMany,
  unavailable,
  type UpgradeRefusal,
} from './upgrade-refusal.ts';
import { parseTarget } from './request-target.ts';
import { createTimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';

/** What is told of an upgrade that came through. */
export interface Accepted {
  readonly ws: WebSocket;
  readonly socket: Duplex;
  readonly identity: Identity;
}

export interface UpgradeOptions {
  readonly authenticate: Authenticate;
  readonly gate: Gate;
  readonly remoteAddress: RemoteAddress;
  /** Asked before a token is checked, and told the result. */
  readonly failedSignIns: FailedSignIns;
  /** Asked after authentication, so that forged tokens take no places. */
  readonly admission: Pick<Admission, 'ask'>;
  /** Null when there is room for this connection, else in how many milliseconds to come back. */
  readonly busyForMs: (socket: Duplex) => number | null;
  readonly onAccepted: (accepted: Accepted) => void;
  readonly onRefused: (status: number) => void;
  readonly log: Logger;
  /** How many sockets may be proving who they are; the next is told to come back. @default 1024 */
  readonly maxWaiting?: number;
  /**
   * How many refused sockets at a time are told by a close code; refusals other than 503 get at most a quarter of these.
   * The next is refused by an HTTP status and ends at once. @default 4096
   */
  readonly maxParting?: number;
  /** How long a socket may take to prove who it is before it is cut. @default 5000 */
  readonly upgradeTimeoutMs?: number;
}

/** A client that may prove who it is. */
interface Knock {
  readonly credentials: Credentials;
  readonly address: string;
}

/** How long upgrades may keep the event loop from those who are in. */
const sliceMs = 5;
/** Upgrades that may wait for their turn; any more are cut. */
const maxQueued = 16_384;
/** How long a refused client may take to go. */
const farewellMs = 2_000;

/** Handles HTTP upgrades: path, gate, address, room, identity, admission; then the WebSocket handshake. */
export function createUpgradeHandler(options: UpgradeOptions) {
  const { maxWaiting = 1_024, maxParting = 4_096, upgradeTimeoutMs = 5_000 } = options;
  const waiting = new Set<Duplex>();
  const parting = new Set<Duplex>();
  const queue = createTimeSlicedQueue({ sliceMs, maxWaiting: maxQueued });
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.frameBytes,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });

  /** All that is decided without asking anybody: a refusal, or who it says it is and may prove. */
  function knock(request: IncomingMessage): UpgradeRefusal | Knock {
    if (parseTarget(request.url).path !== webSocketPath)
      return { status: 404, closeCode: null, reason: `the WebSocket is at ${webSocketPath}` };
    const barred = options.gate(request.headers);
    if (barred !== null) return { status: 403, closeCode: null, reason: barred };
    const address = options.remoteAddress(request);
    const credentials = credentialsOf(request);
    const heldForMs = options.failedSignIns.heldForMs(address, credentials);
    if (heldForMs !== null) {
      // Spread, because others may wait at that address too.
      const afterMs = Math.max(1_000, heldForMs) + Math.round(Math.random() * 1_000);
      return tooMany('too many failed sign-ins from this address', afterMs);
    }
    const full = noRoom(request.socket);
    if (full) return full;
    if (waiting.size >= maxWaiting) return unavailable('too many clients are signing in');
    return { credentials, address };
  }

  async function prove(
    { credentials, address }: Knock,
    socket: Duplex,
  ): Promise<Identity | UpgradeRefusal> {
    try {
      const identity = await options.authenticate(credentials);
      options.failedSignIns.proved(credentials);
      // Asked again: a drain may have begun meanwhile, and it sends away only those that are in.
      const full = noRoom(socket);
      if (full) return full;
      // A socket that was cut meanwhile takes no place in the admission.
      if (socket.destroyed) return identity;
      const { afterMs } = options.admission.ask(identity.agentId);
      return afterMs === null
        ? identity
        : unavailable('too many clients are connecting: come back after the given time', afterMs);
    } catch (error) {
      if (isFailedSignIn(error)) options.failedSignIns.failed(address, credentials);
      if (!(error instanceof AuthError || error instanceof ChatStoreError))
        options.log.error({ err: error }, 'a client could not be authenticated');
      return refusalOf(error);
    }
  }

  function noRoom(socket: Duplex): UpgradeRefusal | null {
    const afterMs = options.busyForMs(socket);
    return afterMs === null ? null : unavailable('the hub is draining or full', afterMs);
  }

  /** Settles as the work does; a socket that waits too long is cut, and its place is free at once. */
  async function inTime<T>(socket: Duplex, work: () => Promise<T>): Promise<T> {
    waiting.add(socket);
    const timer = setTimeout(() => socket.destroy(), upgradeTimeoutMs);
    const leave = () => {
      clearTimeout(timer);
      waiting.delete(socket);
    };
    socket.once('close', leave);
    try {
      return await work();
    } finally {
      leave();
      socket.off('close', leave);
    }
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (socket.destroyed) return;
    const knocked = knock(request);
    const admitted =
      'status' in knocked ? knocked : await inTime(socket, () => prove(knocked, socket));
    if (socket.destroyed) return;
    if ('status' in admitted) {
      refuse(request, socket, head, admitted);
    } else {
      server.handleUpgrade(request, socket, head, (ws) => {
        options.onAccepted({ ws, socket, identity: admitted });
      });
    }
  }

  function refuse(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    no: UpgradeRefusal,
  ): void {
    const { closeCode, retryAfterMs, reason } = no;
    const isTold =
      closeCode !== null &&
      parting.size < (no.status === 503 ? maxParting : maxParting / 4) &&
      offeredProtocols(request.headers['sec-websocket-protocol']).includes(subprotocol);
    // Whether or not the peer answers or reads, it is gone by then.
    const timer = setTimeout(() => socket.destroy(), farewellMs);
    parting.add(socket);
    socket.once('close', () => {
      clearTimeout(timer);
      parting.delete(socket);
    });
    options.onRefused(no.status);
    if (!isTold) {
      refuseByStatus(socket, no);
      return;
    }
    // A browser cannot read an HTTP status, but it can read a close code.
    server.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => ws.terminate());
      ws.close(closeCode, retryAfterMs === undefined ? reason : encodeCloseReason(retryAfterMs));
    });
  }

  return function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', destroyThis);
    const isTaken = queue.enqueue(() => {
      upgrade(request, socket, head).catch((error: unknown) => {
        options.log.error({ err: error }, 'an upgrade failed');
        socket.destroy();
      });
    });
    if (!isTaken) socket.destroy();
  };
}

// Not a closure: it stays with the socket, and would keep the request alive as long.
function destroyThis(this: Duplex): void {
  this.destroy();
}
