import {
  utf8Bytes,
  type MethodName,
  type ParamsInputOf,
  type ResultOf,
  type RpcError,
  type Welcome,
} from '@openclaw/protocol';
import { fromRpcError, HubError } from './errors.ts';
import { isFleeting, isRepeatable, withClientMessageId } from './idempotency.ts';
import type { ResolvedOptions } from './options.ts';
import { createOutbox } from './outbox.ts';

/** Options of one call. */
export interface CallOptions {
  /** Gives up waiting; what was sent may happen all the same. The call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Over the whole wait, offline time and repeats included. @default callTimeoutMs of the client */
  readonly timeoutMs?: number;
}

/** A method's caller. */
export type CallMethod = <M extends MethodName>(
  method: M,
  params: ParamsInputOf<M>,
  options?: CallOptions,
) => Promise<ResultOf<M>>;

/** A method's caller that waits for no promise. */
export type AskMethod = <M extends MethodName>(
  method: M,
  params: ParamsInputOf<M>,
  onResult: (result: ResultOf<M>) => void,
  onError: (error: unknown) => void,
) => void;

/** Calls and their answers, over one connection after another. */
export interface Calls {
  readonly call: CallMethod;
  /** As `call`, but for this connection alone: ahead of what waits, rejected with `disconnected` when it is lost. */
  readonly callNow: CallMethod;
  /** As `callNow`, answered in the same breath as the answer comes: ahead of what stands behind it in its frame. */
  readonly ask: AskMethod;
  /** An answer came. */
  settle(id: unknown, result: unknown, error: RpcError | undefined): void;
  /** This connection takes calls, within its limits. */
  connected(limits: Welcome['limits']): void;
  /** Sends what waited; called once the subscriptions are on their way. */
  resume(): void;
  disconnected(error: HubError): void;
  close(error: HubError): void;
}

interface Call {
  readonly id: number;
  readonly body: string;
  readonly isRepeatable: boolean;
  isSent: boolean;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** `write` sends one frame. */
export function createCalls(options: ResolvedOptions, write: (text: string) => void): Calls {
  // In the order of the calls, which repeats after a reconnect keep.
  const calls = new Map<number, Call>();
  const outbox = createOutbox(write);
  let waiting: Call[] = [];
  let inFlight = 0;
  let lastId = 0;
  let limits: Welcome['limits'] | null = null;
  let isLive = false;
  let closedBy: HubError | null = null;

  function send(call: Call) {
    if (
      limits !== null &&
      call.body.length * 3 > limits.frameBytes &&
      utf8Bytes(call.body) > limits.frameBytes
    ) {
      return call.reject(new HubError('too_large', `The call is over ${limits.frameBytes} bytes`));
    }
    call.isSent = true;
    inFlight += 1;
    outbox.push(call.body);
  }

  function sendWaiting() {
    while (limits !== null && inFlight < limits.inFlight) {
      const call = waiting.shift();
      if (call === undefined) return;
      send(call);
    }
  }

  function remove(call: Call) {
    if (!calls.delete(call.id)) return;
    if (!call.isSent) {
      waiting = waiting.filter((other) => other !== call);
      return;
    }
    inFlight -= 1;
    if (isLive && waiting.length > 0) sendWaiting();
  }

  function start(
    method: MethodName,
    params: object,
    { signal, timeoutMs = options.callTimeoutMs }: CallOptions,
    isNow: boolean,
    onResult: (result: unknown) => void,
    onError: (error: unknown) => void,
  ) {
    if (closedBy !== null) return onError(closedBy);
    if (signal?.aborted) return onError(signal.reason);
    const isAway = isNow ? limits === null : !isLive && isFleeting(method);
    if (isAway) return onError(new HubError('disconnected', `${method}: not connected`));
    if (!isNow && waiting.length >= options.queueMax) {
      return onError(new HubError('queue_full', `${waiting.length} calls wait already`));
    }
    const sent = withClientMessageId(method, params);
    lastId += 1;
    const id = lastId;
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      remove(call);
    };
    const call: Call = {
      id,
      body: JSON.stringify({ jsonrpc: '2.0', id, method, params: sent }),
      isRepeatable: !isNow && isRepeatable(method, sent),
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
      call.reject(new HubError('timeout', `${method}: no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    signal?.addEventListener('abort', abort);
    calls.set(id, call);
    if (isNow) return send(call);
    waiting.push(call);
    if (isLive) sendWaiting();
  }

  const promise =
    (isNow: boolean): CallMethod =>
    (method, params, callOptions = {}) =>
      new Promise((resolve, reject) => {
        start(method, params, callOptions, isNow, resolve as (result: unknown) => void, reject);
      });

  return {
    call: promise(false),
    callNow: promise(true),
    ask: (method, params, onResult, onError) =>
      start(method, params, {}, true, onResult as (result: unknown) => void, onError),
    settle(id, result, error) {
      const call = calls.get(id as number);
      if (call === undefined) return;
      if (error === undefined) call.resolve(result);
      else call.reject(fromRpcError(error));
    },
    connected(next) {
      limits = next;
      outbox.setLimits(next);
    },
    resume() {
      isLive = true;
      sendWaiting();
    },
    disconnected(error) {
      isLive = false;
      limits = null;
      outbox.clear();
      waiting = [];
      for (const call of [...calls.values()]) {
        if (!call.isSent) waiting.push(call);
        else if (!call.isRepeatable) {
          call.reject(new HubError('disconnected', error.message, { cause: error }));
        } else {
          call.isSent = false;
          inFlight -= 1;
          waiting.push(call);
        }
      }
    },
    close(error) {
      closedBy = error;
      isLive = false;
      for (const call of [...calls.values()]) call.reject(error);
      waiting = [];
    },
  };
}
