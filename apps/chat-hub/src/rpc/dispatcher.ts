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
import type { LocalRateLimiter } from '@openclaw/ratelimit';
import type { Logger } from 'pino';
import { encodedText, pieceChars } from '../live/encoded-text.ts';
import type { Session } from '../live/session.ts';
import { retryUnsentMs, type UnsentBudget } from '../live/unsent-budget.ts';
import type { Slices } from '../slices.ts';
import {
  refuse,
  type Answer,
  type Caller,
  type Handler,
  type Handlers,
  type Refusal,
} from './answer.ts';
import { callOf, type Call, type Id } from './call.ts';
import { createCallOrder, type CallOrder } from './call-order.ts';
import {
  actionOf,
  answerBytes,
  isBulky,
  isChange,
  linesOf,
  type LimitedAction,
} from './method-kinds.ts';

/** Turns a socket's frames into calls, and their answers into frames. */
export interface Dispatcher {
  /** Takes one text frame. False when the frame was not JSON-RPC at all. */
  dispatch(session: Session, frame: Buffer): boolean;
  /** Says that a binary frame is none of the protocol's. */
  refuseBinary(session: Session): void;
}

/** What is told of each call, for metrics. */
export type CallObserver = (
  method: MethodName,
  outcome: 'ok' | 'refused' | 'failed',
  durationMs: number,
) => void;

export interface DispatcherDeps {
  readonly handlers: Handlers;
  readonly limiter: Pick<LocalRateLimiter<LimitedAction>, 'consume'>;
  readonly log: Logger;
  readonly observe: CallObserver;
  /** Where the memory of large answers is reserved. */
  readonly unsent: UnsentBudget;
  /** Where large answers are encoded. */
  readonly slices: Slices;
}

/** An answer's JSON: a text, or pieces of one, encoded. */
type Payload = string | readonly Buffer[];

/** Takes an answer, or null where none is wanted. */
type Emit = (payload: Payload | null) => void;

interface Socket {
  readonly caller: Caller;
  readonly order: CallOrder;
}

/** Creates the dispatcher over the hub's method table. */
export function createDispatcher({
  handlers,
  limiter,
  log,
  observe,
  unsent,
  slices,
}: DispatcherDeps): Dispatcher {
  const sockets = new WeakMap<Session, Socket>();
  const socketOf = (session: Session): Socket => {
    let socket = sockets.get(session);
    if (!socket) {
      socket = { caller: { identity: session.identity, session }, order: createCallOrder() };
      sockets.set(session, socket);
    }
    return socket;
  };

  /** What stands between a call and its handler: is there such a method, is there room, is it well formed, is it allowed. */
  function check(
    session: Session,
    { method, params }: Call,
  ): { method: MethodName; params: unknown } | RpcError {
    if (!isMethodName(method)) {
      return {
        code: rpcErrorCodes.methodNotFound,
        message: `there is no method ${method.slice(0, 64)}`,
      };
    }
    if (session.inFlight >= limits.inFlight) {
      return rpcErrorOf(
        refuse('rate_limited', 'too many unanswered calls on this connection', 100),
      );
    }
    const parsed = methods[method].params.safeParse(params ?? {});
    if (!parsed.success) {
      const data: ParamIssue[] = parsed.error.issues.slice(0, 10).map((issue) => ({
        path: issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step)),
        message: issue.message,
      }));
      return { code: rpcErrorCodes.invalidParams, message: `invalid params for ${method}`, data };
    }
    const { allowed, limit, retryAfterMs } = limiter.consume(actionOf(method), session.agentId);
    if (!allowed) {
      return rpcErrorOf(
        refuse('rate_limited', `at most ${limit} of these in the window`, retryAfterMs),
      );
    }
    return { method, params: parsed.data };
  }

  async function handle(
    caller: Caller,
    method: MethodName,
    params: unknown,
  ): Promise<Answer<MethodName>> {
    const startMs = performance.now();
    try {
      const reply = await (handlers[method] as Handler<MethodName>)(caller, params as never);
      observe(method, reply.ok ? 'ok' : 'refused', performance.now() - startMs);
      return reply;
    } catch (error) {
      observe(method, 'failed', performance.now() - startMs);
      const refusal = refusalOfError(error);
      if (refusal.code === 'internal') {
        log.error({ err: error, method, agentId: caller.identity.agentId }, 'a method failed');
      }
      return refusal;
    }
  }

  /**
   * Runs a call. Its answer is made and handed to `emit` before any later call on the same channel begins, and before
   * anything that the call set going can be sent; `emit` gets null when no answer is wanted. A call whose answer may be
   * large is refused when there is no room for it.
   */
  async function run(
    session: Session,
    call: Call,
    emit: Emit,
    hasRoom = () => true,
  ): Promise<void> {
    const { id } = call;
    const respond = (error: RpcError) => emit(id === undefined ? null : errorText(id, error));
    const checked = check(session, call);
    if ('code' in checked) {
      respond(checked);
      return;
    }
    const { method, params } = checked;
    const { caller, order } = socketOf(session);
    session.inFlight += 1;
    try {
      await order.run(linesOf(method, params, session.agentId), isChange(method), async () => {
        // Its calls were read before it fell behind: their answers would pile up all the same.
        if (isBulky(method) && !(await session.keepsUp())) return emit(null);
        if (isBulky(method) && !hasRoom()) {
          return respond(
            rpcErrorOf(refuse('too_large', 'the answers of this batch are too large')),
          );
        }
        const bytes = answerBytes(method, params);
        const reserved = bytes > 0 ? await unsent.reserve(session.agentId, bytes) : null;
        if (bytes > 0 && !reserved) return respond(rpcErrorOf(refuseUnsent()));
        try {
          await makeAnswer(session, id, await handle(caller, method, params), emit);
        } finally {
          // What was emitted is counted where it waits.
          reserved?.release();
        }
      });
    } catch (error) {
      log.error({ err: error, method }, 'an answer could not be made');
      respond(rpcErrorOf(refuse('internal', 'the hub could not do this')));
    } finally {
      session.inFlight -= 1;
    }
  }

  /** Makes the text of an answer, in slices where it may be much, and emits it. */
  async function makeAnswer(
    session: Session,
    id: Id | undefined,
    reply: Answer<MethodName>,
    emit: Emit,
  ): Promise<void> {
    if (!reply.ok) return emit(id === undefined ? null : errorText(id, rpcErrorOf(reply)));
    const [before, after] = [`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`, '}'];
    const wrapped = (result: readonly Buffer[]) =>
      id === undefined ? null : [Buffer.from(before), ...result, Buffer.from(after)];
    if ('resultSteps' in reply) {
      // What the steps set going waits until the answer is whole.
      const release = session.defer();
      try {
        emit(wrapped(await slices.run(reply.resultSteps())));
      } finally {
        release();
      }
      return;
    }
    const result = 'resultJson' in reply ? reply.resultJson() : JSON.stringify(reply.result);
    if (id === undefined) emit(null);
    else if (result.length <= pieceChars) emit(`${before}${result}${after}`);
    else emit(wrapped(await slices.run(encodedText(result))));
  }

  function runAndSend(session: Session, call: Call): void {
    void run(session, call, (payload) => {
      if (payload !== null) session.send(payload);
    });
  }

  // One array for the whole batch. What the calls set going waits behind it: an answer comes before what it begins.
  async function runTogether(
    session: Session,
    calls: readonly ReturnType<typeof callOf>[],
  ): Promise<void> {
    const answers: (Payload | null)[] = [];
    let bytes = 0;
    const hasRoom = () => bytes < limits.resumeBytes;
    const kept = unsent.open(session.agentId);
    const release = session.hold();
    await Promise.all(
      calls.map(async (call, index) => {
        const emit: Emit = (payload) => {
          answers[index] = payload;
          bytes += payload === null ? 0 : sizeOf(payload);
          kept.settle(bytes);
        };
        if ('error' in call) emit(errorText(call.id, call.error));
        else await run(session, call, emit, hasRoom);
      }),
    );
    const pieces: Buffer[] = [];
    for (const answer of answers) {
      if (answer === null) continue;
      pieces.push(Buffer.from(pieces.length === 0 ? '[' : ','));
      if (typeof answer === 'string') pieces.push(Buffer.from(answer));
      else pieces.push(...answer);
    }
    release(pieces.length > 0 ? [...pieces, Buffer.from(']')] : null);
    kept.release();
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
      void runTogether(session, calls);
    }
    return !calls.every((call) => 'error' in call);
  }

  function sendParseError(session: Session, message: string): void {
    session.send(errorText(null, { code: rpcErrorCodes.parseError, message }));
  }

  return {
    refuseBinary: (session) => sendParseError(session, 'frames are text, not binary'),
    dispatch(session, frame) {
      let value: unknown;
      try {
        value = JSON.parse(frame.toString());
      } catch {
        sendParseError(session, 'the frame is not JSON');
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

/** The refusal that an exception amounts to: `unavailable` and `timeout` of the store, else `internal`. */
export function refusalOfError(error: unknown): Refusal {
  if (
    error instanceof ChatStoreError &&
    (error.code === 'unavailable' || error.code === 'timeout')
  ) {
    return refuse(error.code, error.message, error.retryAfterMs ?? 1_000);
  }
  return refuse('internal', 'the hub could not do this');
}

/** The refusal of a call for whose answer unsent output leaves no room. */
export function refuseUnsent(): Refusal {
  const message = 'too much that was sent to this agent has not been read';
  return refuse('rate_limited', message, retryUnsentMs);
}

const sizeOf = (payload: Payload) =>
  typeof payload === 'string'
    ? Buffer.byteLength(payload)
    : payload.reduce((sum, piece) => sum + piece.length, 0);

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
