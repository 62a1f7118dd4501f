import type { MethodName, ParamsInputOf, ResultOf, RpcError, Welcome } from '@openclaw/protocol';
import { utf8Bytes } from '@openclaw/protocol/wire';
import { fromRpcError, HubError } from './errors.ts';
import type { ResolvedOptions } from './options.ts';
import { isEphemeral, isRepeatable, withClientMessageId } from './repeatable-calls.ts';

export interface CallOptions {
  /** Rejects with the signal's reason. A call that was sent may still take effect. */
  readonly signal?: AbortSignal;
  /**
   * Limits the whole wait, including offline time and repeats.
   * @default callTimeoutMs of the client plus the call's waitMs
   */
  readonly timeoutMs?: number;
}

/** The call's options are the last argument. */
export type Call<M extends MethodName, Args extends unknown[]> = (
  ...args: [...Args, options?: CallOptions]
) => Promise<ResultOf<M>>;

export type CallMethod = <M extends MethodName>(
  method: M,
  params: ParamsInputOf<M>,
  options?: CallOptions,
) => Promise<ResultOf<M>>;

/** `onResult` is called synchronously when the answer arrives. */
export type CallSyncMethod = <M extends MethodName>(
  method: M,
  params: ParamsInputOf<M>,
  onResult: (result: ResultOf<M>) => void,
  onError: (error: unknown) => void,
) => void;

interface PendingCall {
  readonly id: number;
  readonly method: MethodName;
  readonly body: string;
  readonly isRepeatable: boolean;
  isSent: boolean;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

// A UTF-16 code unit takes at most three bytes in UTF-8. This bound saves a scan of the text.
const maxBytesPerChar = 3;

function waitMsOf(params: { readonly waitMs?: unknown }): number {
  return typeof params.waitMs === 'number' ? params.waitMs : 0;
}

/** Puts the calls of one turn of the event loop into few frames. */
function createFrameBatcher(write: (text: string) => void) {
  let bodies: string[] = [];
  let chars = 0;
  let isScheduled = false;

  function flush() {
    isScheduled = false;
    if (bodies.length === 1) write(bodies[0] as string);
    else if (bodies.length > 1) write(`[${bodies.join(',')}]`);
    clear();
  }

  function clear() {
    bodies = [];
    chars = 0;
  }

  return {
    clear,
    add(body: string, { batch, frameBytes }: Welcome['limits']) {
      const frameChars = chars + body.length + bodies.length + 2;
      if (bodies.length === batch || frameChars * maxBytesPerChar > frameBytes) flush();
      bodies.push(body);
      chars += body.length;
      if (isScheduled) return;
      isScheduled = true;
      queueMicrotask(flush);
    },
  };
}

/**
 * When the connection is lost, calls that are unsent or repeatable wait for the next one. The other calls are rejected.
 * `write` sends one frame.
 */
export function createCalls(options: ResolvedOptions, write: (text: string) => void) {
  // In the order in which the calls were made. Repeats keep this order.
  const calls = new Map<number, PendingCall>();
  const batcher = createFrameBatcher(write);
  let inFlight = 0;
  let lastId = 0;
  let limits: Welcome['limits'] | null = null;
  let isLive = false;
  let closedBy: HubError | null = null;

  const waiting = () => calls.size - inFlight;

  function send(call: PendingCall, within: Welcome['limits']) {
    const { body } = call;
    const { frameBytes } = within;
    if (body.length * maxBytesPerChar > frameBytes && utf8Bytes(body) > frameBytes) {
      return call.reject(new HubError('too_large', `The call is over ${frameBytes} bytes`));
    }
    call.isSent = true;
    inFlight += 1;
    batcher.add(body, within);
  }

  function sendWaiting() {
    if (limits === null || waiting() === 0) return;
    for (const call of calls.values()) {
      if (inFlight >= limits.inFlight) return;
      if (!call.isSent) send(call, limits);
    }
  }

  function remove(call: PendingCall) {
    if (!calls.delete(call.id) || !call.isSent) return;
    inFlight -= 1;
    if (isLive) sendWaiting();
  }

  function start(
    method: MethodName,
    params: object,
    { signal, timeoutMs = options.callTimeoutMs + waitMsOf(params) }: CallOptions,
    isOnThisConnection: boolean,
    onResult: (result: unknown) => void,
    onError: (error: unknown) => void,
  ) {
    if (closedBy !== null) return onError(closedBy);
    if (signal?.aborted) return onError(signal.reason);
    const needsConnection = isOnThisConnection ? limits === null : !isLive && isEphemeral(method);
    if (needsConnection)
      return onError(new HubError('disconnected', `${method}: not connected`, { method }));
    if (!isOnThisConnection && waiting() >= options.queueMax) {
      return onError(new HubError('queue_full', `${waiting()} calls are already waiting`));
    }
    const sent = withClientMessageId(method, params);
    lastId += 1;
    const id = lastId;
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      remove(call);
    };
    const call: PendingCall = {
      ...{ id, method },
      body: JSON.stringify({ jsonrpc: '2.0', id, method, params: sent }),
      isRepeatable: !isOnThisConnection && isRepeatable(method, sent),
      isSent: false,
      resolve(result) {
        end();
        onResult(result);
      },
      reject(error) {
        end();
        onError(error);
      },
    };
    const abort = () => call.reject(signal?.reason);
    const timer = setTimeout(() => {
      const text = `${method}: no answer within ${timeoutMs} ms`;
      call.reject(new HubError('timeout', text, { method }));
    }, timeoutMs);
    signal?.addEventListener('abort', abort);
    calls.set(id, call);
    if (isOnThisConnection && limits !== null) send(call, limits);
    else if (isLive) sendWaiting();
  }

  const promise =
    (isOnThisConnection: boolean): CallMethod =>
    (method, params, callOptions = {}) =>
      new Promise((resolve, reject) => {
        const onResult = resolve as (result: unknown) => void;
        start(method, params, callOptions, isOnThisConnection, onResult, reject);
      });

  const callSync: CallSyncMethod = (method, params, onResult, onError) =>
    start(method, params, {}, true, onResult as (result: unknown) => void, onError);

  return {
    call: promise(false),
    /**
     * Sends on this connection only, ahead of waiting calls. Rejects with `disconnected` when the connection is lost.
     */
    callOnThisConnection: promise(true),
    /** Like `callOnThisConnection`, but the answer is handled before the next messages of its frame. */
    callSync,
    settle(id: unknown, result: unknown, error: RpcError | undefined) {
      const call = calls.get(id as number);
      if (call === undefined) return;
      if (error === undefined) call.resolve(result);
      else call.reject(fromRpcError(error, call.method));
    },
    connected(next: Welcome['limits']) {
      limits = next;
    },
    /** Sends the waiting calls. Call it after the subscribes are sent. */
    resume() {
      isLive = true;
      sendWaiting();
    },
    disconnected(error: HubError) {
      isLive = false;
      limits = null;
      batcher.clear();
      for (const call of [...calls.values()]) {
        if (!call.isSent) continue;
        if (!call.isRepeatable) {
          const { method } = call;
          call.reject(new HubError('disconnected', error.message, { method, cause: error }));
        } else {
          call.isSent = false;
          inFlight -= 1;
        }
      }
    },
    close(error: HubError) {
      closedBy = error;
      isLive = false;
      for (const call of [...calls.values()]) call.reject(error);
    },
  };
}
