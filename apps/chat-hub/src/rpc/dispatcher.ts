import { ChatStoreError } from '@openclaw/chat-store';
import {
  isMethodName,
  limits,
  methods,
  rpcErrorCodes,
  type MethodName,
  type ParamIssue,
  type RpcError,
} from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { Session } from '../live/session.ts';
import {
  refuse,
  type Answer,
  type Caller,
  type Handler,
  type Handlers,
  type Refusal,
} from './answer.ts';

/** Turns a socket's frames into calls, and their answers into frames. */
export interface Dispatcher {
  /** Takes one text frame. False when the frame was not JSON-RPC at all. */
  dispatch(session: Session, frame: Buffer): boolean;
}

/** What is told of each call, for metrics. */
export type CallObserver = (
  method: MethodName,
  outcome: 'ok' | 'refused' | 'failed',
  durationMs: number,
) => void;

type Id = string | number | null;
interface Call {
  readonly id: Id | undefined;
  readonly method: string;
  readonly params: unknown;
}

/** Creates the dispatcher over the hub's method table. */
export function createDispatcher(
  handlers: Handlers,
  log: Logger,
  observe: CallObserver,
): Dispatcher {
  const callers = new WeakMap<Session, Caller>();
  const callerOf = (session: Session): Caller => {
    let caller = callers.get(session);
    if (!caller) callers.set(session, (caller = { identity: session.identity, session }));
    return caller;
  };

  // Handlers start in the order of the calls and reach the store without waiting before it, so calls on one channel
  // take effect in that order.
  async function run(session: Session, call: Call): Promise<(() => string) | null> {
    const { id, method } = call;
    const respond = (error: RpcError) => (id === undefined ? null : () => errorText(id, error));
    if (!isMethodName(method)) {
      return respond({
        code: rpcErrorCodes.methodNotFound,
        message: `there is no method ${method.slice(0, 64)}`,
      });
    }
    if (session.inFlight >= limits.inFlight) {
      return respond(
        rpcErrorOf(refuse('rate_limited', 'too many unanswered calls on this connection', 100)),
      );
    }
    const parsed = methods[method].params.safeParse(call.params ?? {});
    if (!parsed.success) {
      const data: ParamIssue[] = parsed.error.issues.slice(0, 10).map((issue) => ({
        path: issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step)),
        message: issue.message,
      }));
      return respond({
        code: rpcErrorCodes.invalidParams,
        message: `invalid params for ${method}`,
        data,
      });
    }
    const startMs = performance.now();
    session.inFlight += 1;
    let reply: Answer<MethodName>;
    try {
      reply = await (handlers[method] as Handler<MethodName>)(callerOf(session), parsed.data);
      observe(method, reply.ok ? 'ok' : 'refused', performance.now() - startMs);
    } catch (error) {
      observe(method, 'failed', performance.now() - startMs);
      reply = refusalOfError(error);
      if (reply.code === 'internal')
        log.error({ err: error, method, agentId: session.agentId }, 'a method failed');
    } finally {
      session.inFlight -= 1;
    }
    if (!reply.ok) return respond(rpcErrorOf(reply));
    const settled = reply;
    const result = () =>
      'resultJson' in settled ? settled.resultJson() : JSON.stringify(settled.result);
    if (id === undefined) {
      // A notification gets no answer, but what its answer would have set going happens all the same.
      if ('resultJson' in settled) settled.resultJson();
      return null;
    }
    return () => `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result()}}`;
  }

  function runAndSend(session: Session, call: Call): void {
    void run(session, call).then((text) => {
      if (text !== null) session.send(text());
    });
  }

  function dispatchBatch(session: Session, items: readonly unknown[]): boolean {
    if (items.length === 0 || items.length > limits.batch) {
      const message =
        items.length === 0 ? 'an empty batch' : `a batch holds at most ${limits.batch} calls`;
      session.send(errorText(null, { code: rpcErrorCodes.invalidRequest, message }));
      return false;
    }
    const calls = items.map(callOf);
    if (session.acceptsBatches) {
      for (const call of calls) {
        if ('error' in call) session.send(errorText(call.id, call.error));
        else runAndSend(session, call);
      }
    } else {
      const texts = calls.map((call) =>
        'error' in call
          ? Promise.resolve(() => errorText(call.id, call.error))
          : run(session, call),
      );
      void Promise.all(texts).then((all) => {
        const answers = all.filter((text) => text !== null);
        if (answers.length > 0) session.send(`[${answers.map((text) => text()).join(',')}]`);
      });
    }
    return !calls.every((call) => 'error' in call);
  }

  return {
    dispatch(session, frame) {
      let value: unknown;
      try {
        value = JSON.parse(frame.toString());
      } catch {
        session.send(
          errorText(null, { code: rpcErrorCodes.parseError, message: 'the frame is not JSON' }),
        );
        return false;
      }
      if (Array.isArray(value)) return dispatchBatch(session, value);
      const call = callOf(value);
      if ('error' in call) {
        session.send(errorText(call.id, call.error));
        return false;
      }
      runAndSend(session, call);
      return true;
    },
  };
}

/** Reads a JSON-RPC 2.0 request object. */
function callOf(value: unknown): Call | { readonly id: Id; readonly error: RpcError } {
  const invalid = (id: Id, message: string) => ({
    id,
    error: { code: rpcErrorCodes.invalidRequest, message },
  });
  if (typeof value !== 'object' || value === null) return invalid(null, 'a call is an object');
  const { jsonrpc, id, method, params } = value as Record<string, unknown>;
  const isId = id === undefined || id === null || typeof id === 'string' || typeof id === 'number';
  if (!isId) return invalid(null, 'id must be a string or a number');
  if (jsonrpc !== '2.0') return invalid(id ?? null, 'jsonrpc must be "2.0"');
  if (typeof method !== 'string') return invalid(id ?? null, 'method must be a string');
  if (params !== undefined && (typeof params !== 'object' || params === null)) {
    return invalid(id ?? null, 'params must be an object');
  }
  return { id, method, params };
}

/** The refusal that an exception amounts to: `unavailable` and `timeout` of the store, else `internal`. */
export function refusalOfError(error: unknown): Refusal {
  if (
    error instanceof ChatStoreError &&
    (error.code === 'unavailable' || error.code === 'timeout')
  ) {
    return refuse(error.code, error.message, 1_000);
  }
  return refuse('internal', 'the hub could not do this');
}

function rpcErrorOf({ code, message, retryAfterMs }: Refusal): RpcError {
  return {
    code: rpcErrorCodes.refused,
    message,
    data: retryAfterMs === undefined ? { code } : { code, retryAfterMs },
  };
}

function errorText(id: Id, error: RpcError): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error });
}
