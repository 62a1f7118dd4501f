import { closeCodes, parseCloseReason, subprotocol, type CloseCode } from '@openclaw/protocol/wire';
import { HubError, type HubErrorCode } from './errors.ts';
import {
  describeFailure,
  failureOfEvent,
  watchAttempt,
  type AttemptFailure,
  type AttemptWatch,
} from './failure-cause.ts';
import { heartbeatFromHub, msFromHub } from './hub-times.ts';
import type { ResolvedOptions, WebSocketLike } from './options.ts';

/** `connecting` until the first welcome, `live` from a welcome on, `reconnecting` after a loss. */
export type ConnectionState = 'connecting' | 'live' | 'reconnecting' | 'closed';

export interface StateChange {
  readonly state: ConnectionState;
  /** Why the last connection or attempt ended; null while live and after `close()`. */
  readonly error: HubError | null;
  /** Null when no attempt is planned. */
  readonly retryInMs: number | null;
}

export interface ConnectionOwner {
  onText(text: string): void;
  onState(change: StateChange): void;
  /** Called before the state changes. */
  onLost(error: HubError): void;
  /** Rejects with `timeout` when the hub does not answer in time. */
  ping(timeoutMs: number): Promise<unknown>;
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

function closeError(
  code: number,
  reason: string,
  failure: AttemptFailure | null,
  { url, wasLive }: { readonly url: string; readonly wasLive: boolean },
): HubError {
  const known = knownCodes[code];
  if (known !== undefined) {
    const text = `The hub closed with ${code} ${known.name}: ${known.meaning}`;
    const retryAfterMs = parseCloseReason(reason);
    return new HubError(errorCodes[code] ?? 'disconnected', text, { retryAfterMs });
  }
  // A browser does not say why a WebSocket failed.
  const why = describeFailure(failure, url) ?? (reason || `close code ${code}`);
  const what = wasLive ? 'The connection to the hub was lost' : 'The hub cannot be reached';
  const isRefusal = failure !== null && 'status' in failure && failure.status === 401;
  const cause = failure !== null && 'error' in failure ? failure.error : undefined;
  return new HubError(isRefusal ? 'unauthorized' : 'disconnected', `${what}: ${why}`, { cause });
}

/**
 * The wait before the next attempt. Full jitter (a random time below a bound that doubles) spreads the attempts of
 * clients that lost their hub at the same time.
 */
export function backoffMs(
  failures: number,
  options: Pick<ResolvedOptions, 'backoffMinMs' | 'backoffMaxMs' | 'random'>,
): number {
  const doubledMs = options.backoffMinMs * 2 ** Math.min(failures, 30);
  return Math.round(options.random() * Math.min(options.backoffMaxMs, doubledMs));
}

/** Opens a WebSocket at once, and again after each loss, unless the hub refuses this client for good. */
export function createConnection(options: ResolvedOptions, owner: ConnectionOwner) {
  let state: ConnectionState = 'connecting';
  let socket: WebSocketLike | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let heartbeat: ReturnType<typeof setInterval> | undefined;
  let attempts = 0;
  let tokenRequest: AbortController | null = null;
  let watched: AttemptWatch | null = null;
  let hasHeard = false;
  let failures = 0;
  let liveSinceMs = 0;
  let refusedTokens = 0;
  let slotAtMs: number | null = null;
  let onClosed: (() => void) | null = null;

  function setState(next: ConnectionState, error: HubError | null, retryInMs: number | null) {
    state = next;
    owner.onState({ state, error, retryInMs });
  }

  function startTimer(ms: number, onTimeout: () => void) {
    clearTimeout(timer);
    timer = setTimeout(onTimeout, ms);
  }

  /** A token that arrives later is ignored. */
  function endAttempt() {
    attempts += 1;
    clearTimeout(timer);
    clearInterval(heartbeat);
    tokenRequest?.abort();
    tokenRequest = null;
    watched?.end();
    watched = null;
  }

  async function attempt() {
    endAttempt();
    const number = attempts;
    const { connectTimeoutMs, getToken } = options;
    let isAsking = getToken !== null;
    startTimer(connectTimeoutMs, () => {
      const text = isAsking
        ? `getToken did not answer within ${connectTimeoutMs} ms`
        : `No welcome from the hub within ${connectTimeoutMs} ms`;
      abandon(new HubError(isAsking ? 'unauthorized' : 'disconnected', text));
    });
    let protocols: string[] = [subprotocol];
    try {
      if (getToken !== null) {
        const request = (tokenRequest = new AbortController());
        protocols = [subprotocol, `bearer.${await getToken({ signal: request.signal })}`];
      }
    } catch (cause) {
      if (number !== attempts) return;
      const why = cause instanceof Error ? cause.message : String(cause);
      return lost(new HubError('unauthorized', `getToken failed: ${why}`, { cause }), null);
    }
    if (number !== attempts) return;
    isAsking = false;
    tokenRequest = null;
    watched = watchAttempt(options.url);
    try {
      open(new options.webSocket(options.url, protocols));
    } catch (cause) {
      finish(new HubError('invalid', 'The address or the token cannot be used', { cause }));
    }
  }

  function open(opened: WebSocketLike) {
    const watch = watched;
    let failure: AttemptFailure | null = null;
    let hasMessage = false;
    socket = opened;
    opened.onmessage = ({ data }) => {
      if (socket !== opened || typeof data !== 'string') return;
      hasMessage = true;
      hasHeard = true;
      owner.onText(data);
    };
    opened.onerror = (event) => {
      failure ??= failureOfEvent(event);
      if (hasMessage) return;
      // Node 22 reports a failed attempt with an error event only; the close event is missing.
      setTimeout(() => {
        if (socket !== opened || hasMessage || state === 'closed') return;
        ended(1006, '', failure ?? watch?.failure ?? null);
        opened.close();
      }, 0);
    };
    opened.onclose = ({ code, reason }) => {
      if (socket === opened) ended(code, reason, failure ?? watch?.failure ?? null);
    };
  }

  /**
   * A browser does not report a dead connection, so a silent hub is pinged once a heartbeat. Without an answer, the
   * connection is dropped.
   */
  function startHeartbeat(heartbeatMs: number) {
    hasHeard = true;
    heartbeat = setInterval(() => {
      if (!hasHeard) ping(heartbeatMs);
      hasHeard = false;
    }, heartbeatMs);
  }

  function ping(timeoutMs: number) {
    owner.ping(timeoutMs).catch((error: unknown) => {
      if (!(error instanceof HubError) || error.code !== 'timeout' || hasHeard) return;
      const text = `The hub was silent for ${2 * timeoutMs} ms`;
      abandon(new HubError('disconnected', text));
    });
  }

  function ended(code: number, reason: string, failure: AttemptFailure | null) {
    if (state === 'closed') return onClosed?.();
    const error = closeError(code, reason, failure, {
      url: options.url,
      wasLive: state === 'live',
    });
    if (knownCodes[code]?.reconnect !== false) return lost(error, error.retryAfterMs);
    if (isStable()) refusedTokens = 0;
    // The refused token may have expired, so one new token is tried.
    const mayRenew = code === 4401 && options.canRenewToken && refusedTokens === 0;
    if (!mayRenew) return finish(error);
    refusedTokens += 1;
    lost(error, 0);
  }

  // For a hub that welcomes and closes in a loop, the backoff must keep growing.
  const isStable = () => state === 'live' && Date.now() - liveSinceMs >= stableAfterMs;

  function lost(error: HubError, afterMs: number | null) {
    endAttempt();
    socket = null;
    if (isStable()) failures = 0;
    owner.onLost(error);
    const slotMs = slotAtMs === null ? null : Math.max(0, slotAtMs - Date.now());
    slotAtMs = null;
    const retryInMs = afterMs ?? slotMs ?? backoffMs(failures, options);
    failures += 1;
    startTimer(retryInMs, () => void attempt());
    setState(state === 'connecting' ? 'connecting' : 'reconnecting', error, retryInMs);
  }

  function finish(error: HubError | null) {
    endAttempt();
    setState('closed', error, null);
  }

  function abandon(error: HubError) {
    if (state === 'closed') return;
    const dropped = socket;
    lost(error, null);
    dropped?.close(1000);
  }

  void attempt();
  return {
    get state() {
      return state;
    },
    /** Without a socket, the frame is lost. */
    send: (text: string) => socket?.send(text),
    /** Call it at the welcome, which makes the connection live. A hub that is silent for `heartbeatMs` is pinged. */
    welcomed(heartbeatMs: number) {
      endAttempt();
      startHeartbeat(heartbeatFromHub(heartbeatMs));
      liveSinceMs = Date.now();
      setState('live', null, null);
    },
    /** Call it when a draining hub asks for a reconnect after this time. */
    replace(afterMs: number) {
      const slotMs = msFromHub(afterMs) ?? backoffMs(failures, options);
      // The time is stored too, because the hub may close the socket before this time.
      slotAtMs = Date.now() + slotMs;
      startTimer(slotMs, () => abandon(new HubError('unavailable', 'The hub is draining')));
    },
    abandon,
    async close(): Promise<void> {
      if (state === 'closed') return;
      const current = socket;
      finish(null);
      if (current === null) return;
      await new Promise<void>((resolve) => {
        onClosed = resolve;
        // The hub may not answer the close.
        startTimer(closeWaitMs, resolve);
        current.close(1000);
      });
      clearTimeout(timer);
      socket = null;
    },
  };
}
