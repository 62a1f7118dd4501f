import { closeCodes, parseCloseReason, subprotocol, type CloseCode } from '@openclaw/protocol';
import { backoffMs } from './backoff.ts';
import { HubError, type HubErrorCode } from './errors.ts';
import type { ResolvedOptions } from './options.ts';
import type { WebSocketLike } from './web-socket.ts';

/** `connecting` until the first welcome, `live` while welcomed, `reconnecting` after a loss, `closed` at the end. */
export type ConnectionState = 'connecting' | 'live' | 'reconnecting' | 'closed';

/** What listeners of `state` get: at each change, and at each failed attempt. */
export interface StateChange {
  readonly state: ConnectionState;
  /** Why the last connection or attempt ended; null while live and after `close()`. */
  readonly error: HubError | null;
  /** When the next attempt is made; null when none is waited for. */
  readonly retryInMs: number | null;
}

/** One connection after another, until it is closed. */
export interface Connection {
  readonly state: ConnectionState;
  /** Writes a frame; what is written while not live is lost. */
  send(text: string): void;
  /** The hub's welcome came: this connection is live. */
  welcomed(): void;
  /** The hub asked to come back then: the connection is replaced after that time. */
  replace(afterMs: number): void;
  /** This connection is of no use any more (silent, for one): lose it now. */
  abandon(error: HubError): void;
  close(): Promise<void>;
}

/** Who uses a connection. */
export interface ConnectionOwner {
  onText(text: string): void;
  onState(change: StateChange): void;
  /** A live connection is gone, before the state changes. */
  onLost(error: HubError): void;
}

const stableAfterMs = 10_000;
const closeWaitMs = 1_000;

const knownCodes: Readonly<Record<number, CloseCode | undefined>> = closeCodes;
const errorCodes: Readonly<Record<number, HubErrorCode | undefined>> = {
  4401: 'unauthorized',
  4403: 'unauthorized',
  4413: 'too_large',
  4503: 'unavailable',
};

function closeError(code: number, reason: string, detail: string, wasLive: boolean): HubError {
  const known = knownCodes[code];
  if (known !== undefined) {
    const text = `The hub closed with ${code} ${known.name}: ${known.meaning}`;
    const retryAfterMs = parseCloseReason(reason);
    return new HubError(errorCodes[code] ?? 'disconnected', text, { retryAfterMs });
  }
  // Browsers and Node alike keep the cause to themselves.
  const why = detail || reason || `close code ${code}`;
  const what = wasLive ? 'The connection to the hub was lost' : 'The hub cannot be reached';
  return new HubError('disconnected', `${what}: ${why}`);
}

/** Opens a WebSocket at once, and again after each loss that time can cure. */
export function createConnection(options: ResolvedOptions, owner: ConnectionOwner): Connection {
  let state: ConnectionState = 'connecting';
  let socket: WebSocketLike | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let liveSinceMs = 0;
  let refusedTokens = 0;
  let slotAtMs: number | null = null;
  let closed: (() => void) | null = null;

  function become(next: ConnectionState, error: HubError | null, retryInMs: number | null) {
    state = next;
    owner.onState({ state, error, retryInMs });
  }

  function wait(ms: number, then: () => void) {
    clearTimeout(timer);
    timer = setTimeout(then, ms);
  }

  async function attempt() {
    let protocols: string[] = [subprotocol];
    try {
      if (options.getToken !== null)
        protocols = [subprotocol, `bearer.${await options.getToken()}`];
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      return lost(new HubError('unauthorized', `getToken failed: ${why}`, { cause }), null);
    }
    if (state === 'closed') return;
    try {
      open(new options.webSocket(options.url, protocols));
    } catch (cause) {
      finish(new HubError('invalid', 'The address or the token cannot be used', { cause }));
    }
  }

  function open(opened: WebSocketLike) {
    let detail = '';
    socket = opened;
    opened.onmessage = ({ data }) => {
      if (socket === opened && typeof data === 'string') owner.onText(data);
    };
    opened.onerror = ({ message }) => {
      detail = message || detail;
    };
    opened.onclose = ({ code, reason }) => {
      if (socket === opened) ended(code, reason, detail);
    };
    const { connectTimeoutMs } = options;
    wait(connectTimeoutMs, () => {
      const text = `No welcome from the hub within ${connectTimeoutMs} ms`;
      connection.abandon(new HubError('disconnected', text));
    });
  }

  function ended(code: number, reason: string, detail: string) {
    if (state === 'closed') return closed?.();
    const error = closeError(code, reason, detail, state === 'live');
    if (knownCodes[code]?.reconnect !== false) return lost(error, error.retryAfterMs);
    if (isStable()) refusedTokens = 0;
    // A token that was good until now has expired: a new one helps, unless that is refused as well.
    const mayRenew = code === 4401 && options.canRenewToken && refusedTokens === 0;
    if (!mayRenew) return finish(error);
    refusedTokens += 1;
    lost(error, 0);
  }

  // A hub that welcomes and closes in a loop must not be called a success each time.
  const isStable = () => state === 'live' && Date.now() - liveSinceMs >= stableAfterMs;

  function lost(error: HubError, afterMs: number | null) {
    clearTimeout(timer);
    socket = null;
    if (isStable()) failures = 0;
    if (state === 'live') owner.onLost(error);
    const slotMs = slotAtMs === null ? null : Math.max(0, slotAtMs - Date.now());
    slotAtMs = null;
    const retryInMs = afterMs ?? slotMs ?? backoffMs(failures, options);
    failures += 1;
    wait(retryInMs, () => void attempt());
    become(state === 'connecting' ? 'connecting' : 'reconnecting', error, retryInMs);
  }

  function finish(error: HubError | null) {
    clearTimeout(timer);
    become('closed', error, null);
  }

  const connection: Connection = {
    get state() {
      return state;
    },
    send: (text) => socket?.send(text),
    welcomed() {
      clearTimeout(timer);
      liveSinceMs = Date.now();
      become('live', null, null);
    },
    replace(afterMs) {
      // Kept beside the timer, for a hub that closes before this client's slot comes.
      slotAtMs = Date.now() + afterMs;
      wait(afterMs, () => connection.abandon(new HubError('unavailable', 'The hub is draining')));
    },
    abandon(error) {
      const dropped = socket;
      lost(error, null);
      dropped?.close(1000);
    },
    async close() {
      if (state === 'closed') return;
      const current = socket;
      finish(null);
      if (current === null) return;
      await new Promise<void>((resolve) => {
        closed = resolve;
        // A hub that does not answer the close keeps nobody waiting.
        wait(closeWaitMs, resolve);
        current.close(1000);
      });
      clearTimeout(timer);
      socket = null;
    },
  };
  void attempt();
  return connection;
}
