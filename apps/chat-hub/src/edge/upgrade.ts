import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ChatStoreError } from '@openclaw/chat-store';
import { encodeCloseReason, limits, subprotocol, webSocketPath } from '@openclaw/protocol';
import type { Logger } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Admission } from './admission.ts';
import type { FailedSignIns } from './failed-sign-ins.ts';
import type { OriginPolicy } from './origin-policy.ts';
import {
  AuthError,
  credentialsOf,
  isFailedSignIn,
  offeredProtocols,
  parseTarget,
  type Authenticate,
  type Credentials,
  type Identity,
} from './identity.ts';
import { createPathPrefix, type PathPrefix } from './public-url.ts';
import type { RemoteAddress } from './remote-address.ts';
import { requestIdHeader, traceOf, type RequestTrace } from '../observe/request-trace.ts';
import type { OnSignIn } from '../observe/sign-ins.ts';
import {
  refusalOf,
  refuseByStatus,
  tooMany,
  unavailable,
  type UpgradeRefusal,
} from './upgrade-refusal.ts';
import { createTimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';

export interface Accepted {
  readonly ws: WebSocket;
  readonly socket: Duplex;
  readonly identity: Identity;
  /** Do not keep these headers: they would stay in memory as long as the socket. */
  readonly headers: IncomingHttpHeaders;
  readonly trace: RequestTrace;
}

export interface UpgradeOptions {
  readonly authenticate: Authenticate;
  readonly originPolicy: OriginPolicy;
  /** @default none */
  readonly pathPrefix?: PathPrefix;
  readonly remoteAddress: RemoteAddress;
  readonly failedSignIns: FailedSignIns;
  /** The hub asks the admission after authentication, so that forged tokens take no slots. */
  readonly admission: Pick<Admission, 'admit'>;
  readonly fullForMs: (socket: Duplex) => number | null;
  readonly onAccepted: (accepted: Accepted) => void;
  readonly onRefused: (status: number) => void;
  readonly onSignIn?: OnSignIn;
  readonly log: Logger;
  /**
   * The most clients that sign in at the same time. Further clients get a time after which to reconnect.
   * @default 1024
   */
  readonly maxAuthenticating?: number;
  /**
   * While this many refused sockets are closing, further clients get an HTTP status instead of a close code. For
   * refusals other than 503, the limit is a quarter of this number.
   * @default 4096
   */
  readonly maxClosing?: number;
  /** A socket is destroyed if its authentication takes longer. @default 5000 */
  readonly upgradeTimeoutMs?: number;
}

interface Candidate {
  readonly credentials: Credentials;
  readonly address: string;
  readonly trace: RequestTrace;
}

const sliceMs = 5;
/** The most upgrades that wait. The sockets of further upgrades are destroyed. */
const maxQueued = 16_384;
const closeTimeoutMs = 2_000;

/** Checks path, origin, failed sign-ins, capacity, credentials and admission, in this order. */
export function createUpgradeHandler(options: UpgradeOptions) {
  const { maxAuthenticating = 1_024, maxClosing = 4_096, upgradeTimeoutMs = 5_000 } = options;
  const { pathPrefix = createPathPrefix(null) } = options;
  const authenticating = new Set<Duplex>();
  const closing = new Set<Duplex>();
  const queue = createTimeSlicedQueue({ sliceMs, maxWaiting: maxQueued });
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.frameBytes,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });

  const traces = new WeakMap<IncomingMessage, RequestTrace>();
  server.on('headers', (headers: string[], request: IncomingMessage) => {
    const trace = traces.get(request);
    if (trace) headers.push(`${requestIdHeader}: ${trace.requestId}`);
  });

  function precheck(request: IncomingMessage, trace: RequestTrace): UpgradeRefusal | Candidate {
    if (parseTarget(pathPrefix.strip(request.url ?? '')).path !== webSocketPath)
      return { status: 404, closeCode: null, reason: `the WebSocket is at ${webSocketPath}` };
    const denied = options.originPolicy(request);
    if (denied !== null) return { status: 403, closeCode: null, reason: denied };
    const address = options.remoteAddress(request);
    const credentials = credentialsOf(request);
    const blockedForMs = options.failedSignIns.blockedForMs(address, credentials);
    if (blockedForMs !== null) {
      options.onSignIn?.({ transport: 'ws', address, trace, failure: 'blocked' });
      // The retries are spread over a second, because other clients at that address may wait too.
      const afterMs = Math.max(1_000, blockedForMs) + Math.round(Math.random() * 1_000);
      return tooMany('too many failed sign-ins from this address', afterMs);
    }
    const full = refusalWhenFull(request.socket);
    if (full) return full;
    if (authenticating.size >= maxAuthenticating)
      return unavailable('too many clients are signing in');
    return { credentials, address, trace };
  }

  async function authenticate(
    { credentials, address, trace }: Candidate,
    socket: Duplex,
  ): Promise<Identity | UpgradeRefusal> {
    const signedIn = (failure: unknown) =>
      options.onSignIn?.({ transport: 'ws', address, trace, failure });
    try {
      const identity = { ...(await options.authenticate(credentials)), address };
      signedIn(null);
      options.failedSignIns.recordSuccess(credentials);
      // The capacity is checked again, because a drain may have begun during the authentication.
      const full = refusalWhenFull(socket);
      if (full) return full;
      // A socket that was destroyed during the authentication must take no slot.
      if (socket.destroyed) return identity;
      const { afterMs } = options.admission.admit(identity.agentId);
      return afterMs === null
        ? identity
        : unavailable('too many clients are connecting: reconnect after the given time', afterMs);
    } catch (error) {
      signedIn(error);
      if (isFailedSignIn(error)) options.failedSignIns.recordFailure(address, credentials);
      if (!(error instanceof AuthError || error instanceof ChatStoreError))
        options.log.error({ err: error, ...trace }, 'a client could not be authenticated');
      return refusalOf(error);
    }
  }

  function refusalWhenFull(socket: Duplex): UpgradeRefusal | null {
    const afterMs = options.fullForMs(socket);
    return afterMs === null ? null : unavailable('the hub is draining or full', afterMs);
  }

  /** Destroys the socket after the timeout. Frees its slot in `authenticating` when the work or the socket ends. */
  async function withTimeout<T>(socket: Duplex, work: () => Promise<T>): Promise<T> {
    authenticating.add(socket);
    const timer = setTimeout(() => socket.destroy(), upgradeTimeoutMs);
    const settle = () => {
      clearTimeout(timer);
      authenticating.delete(socket);
    };
    socket.once('close', settle);
    try {
      return await work();
    } finally {
      settle();
      socket.off('close', settle);
    }
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (socket.destroyed) return;
    const trace = traceOf(request.headers);
    traces.set(request, trace);
    const candidate = precheck(request, trace);
    const result =
      'status' in candidate
        ? candidate
        : await withTimeout(socket, () => authenticate(candidate, socket));
    if (socket.destroyed) return;
    if ('status' in result) {
      refuse(request, socket, head, result);
    } else {
      server.handleUpgrade(request, socket, head, (ws) => {
        options.onAccepted({ ws, socket, identity: result, trace, headers: request.headers });
      });
    }
  }

  function refuse(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    refusal: UpgradeRefusal,
  ): void {
    const { closeCode, retryAfterMs, reason } = refusal;
    const usesCloseCode =
      closeCode !== null &&
      closing.size < (refusal.status === 503 ? maxClosing : maxClosing / 4) &&
      offeredProtocols(request.headers['sec-websocket-protocol']).includes(subprotocol);
    // A client that neither answers nor reads must not keep its connection.
    const timer = setTimeout(() => socket.destroy(), closeTimeoutMs);
    closing.add(socket);
    socket.once('close', () => {
      clearTimeout(timer);
      closing.delete(socket);
    });
    options.onRefused(refusal.status);
    if (!usesCloseCode) {
      refuseByStatus(socket, refusal, traces.get(request)?.requestId);
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
        options.log.error({ err: error, ...traces.get(request) }, 'an upgrade failed');
        socket.destroy();
      });
    });
    if (!isTaken) socket.destroy();
  };
}

// The listener lives as long as the socket, so it is a plain function. A closure would keep the request in memory.
function destroyThis(this: Duplex): void {
  this.destroy();
}
