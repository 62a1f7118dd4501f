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
import { callsOf, type CallAllowance } from './call-allowance.ts';
import { encodedText, pieceChars } from '../event-loop/encoded-text.ts';
import type { Session } from '../sockets/session.ts';
import type { UnsentBudget } from '../sockets/unsent-budget.ts';
import type { TimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
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
import { overlongListOf } from './overlong-list.ts';
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
  /** Asked for every call before anything else is. */
  readonly calls: Pick<CallAllowance, 'count'>;
  /** Told of each call that is refused for it. */
  readonly onLimited: () => void;
  readonly log: Logger;
  readonly observe: CallObserver;
  /** Where the memory of large answers is reserved. */
  readonly unsent: UnsentBudget;
  /** Where large answers are encoded. */
  readonly slices: TimeSlicedQueue;
}

/** A call, or the error to answer it with. */
type ParsedCall = ReturnType<typeof callOf>;

/** A larger frame of an agent over its allowance is not read for the id that its refusal would carry. */
const maxRefusedBytes = 4_096;

/** An answer's JSON: a text, or pieces of one, encoded. */
type Payload = string | readonly Buffer[];

/** Takes an answer, or null where none is wanted. */
type Emit = (payload: Payload | null) => void;

interface Socket {
  readonly caller: Caller;
  readonly order: CallOrder;
}

/** Creates the dispatcher over the hub's method table. */
export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { handlers, limiter, calls, onLimited, log, observe, unsent, slices } = deps;
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
    if (session.callsInFlight >= limits.inFlight) {
      return rpcErrorOf(
        refuse('rate_limited', 'too many unanswered calls on this connection', 100),
      );
    }
    const invalid = (data: ParamIssue[]) => ({
      code: rpcErrorCodes.invalidParams,
      message: `invalid params for ${method}`,
      data,
    });
    const overlong = overlongListOf(params);
    if (overlong) return invalid([{ path: [overlong.name], message: overlong.message }]);
    const parsed = methods[method].params.safeParse(params ?? {});
    if (!parsed.success) {
      const data: ParamIssue[] = parsed.error.issues.slice(0, 10).map((issue) => ({
        path: issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step)),
        message: issue.message,
      }));
      return invalid(data);
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
      const reply = withoutNames(
        await (handlers[method] as Handler<MethodName>)(caller, params as never),
      );
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
    session.beginCall();
    try {
      await order.run(linesOf(method, params, session.agentId), isChange(method), async () => {
        // Its calls were read before it fell behind: their answers would pile up all the same.
        if (isBulky(method) && !(await session.whenDrained())) return emit(null);
        if (isBulky(method) && !hasRoom()) {
          return respond(
            rpcErrorOf(refuse('too_large', 'the answers of this batch are too large')),
          );
        }
        const bytes = answerBytes(method, params);
        const reserved = bytes > 0 ? await unsent.reserve(session.agentId, bytes) : null;
        if (bytes > 0 && !reserved) return respond(rpcErrorOf(refuseUnsent(unsent)));
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
      session.endCall();
    }
  }

  /** A call as it came, or what to answer it instead; null when it is refused and wants no answer. */
  function allowed(parsed: ParsedCall, afterMs: number | null): ParsedCall | null {
    if (afterMs === null) return parsed;
    onLimited();
    const { id } = parsed;
    return id === undefined ? null : { id, error: rpcErrorOf(tooManyCalls(afterMs)) };
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
      const release = session.pauseCatchUp();
      try {
        emit(wrapped(await slices.run(reply.resultSteps())));
      } finally {
        release();
      }
      return;
    }
    if (id === undefined) return emit(null);
    if ('resultBytes' in reply) return emit(wrapped(reply.resultBytes.map(asBuffer)));
    const result = JSON.stringify(reply.result);
    if (result.length <= pieceChars) emit(`${before}${result}${after}`);
    else emit(wrapped(await slices.run(encodedText(result))));
  }

  function runAndSend(session: Session, call: Call): void {
    void run(session, call, (payload) => {
      if (payload !== null) session.send(payload);
    });
  }

  // One array for the whole batch. What the calls set going waits behind it: an answer comes before what it begins.
  async function runTogether(session: Session, batch: readonly ParsedCall[]): Promise<void> {
    const answers: (Payload | null)[] = [];
    let bytes = 0;
    const hasRoom = () => bytes < limits.resumeBytes;
    const kept = unsent.open(session.agentId);
    const release = session.buffer();
    await Promise.all(
      batch.map(async (call, index) => {
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

  /** The first call of the batch was counted with its frame: `afterMs` is what came of it. */
  function dispatchBatch(
    session: Session,
    items: readonly unknown[],
    afterMs: number | null,
  ): boolean {
    const { agentId } = session;
    if (items.length === 0 || items.length > limits.batch) {
      const message =
        items.length === 0 ? 'an empty batch' : `a batch holds at most ${limits.batch} calls`;
      session.send(errorText(null, { code: rpcErrorCodes.invalidRequest, message }));
      return false;
    }
    const parsed = items.map(callOf);
    const batch = parsed.flatMap(
      (call, index) => allowed(call, index === 0 ? afterMs : calls.count(agentId)) ?? [],
    );
    if (!session.isOpen) return true;
    if (session.acceptsBatches) {
      for (const call of batch) {
        if ('error' in call) session.send(errorText(call.id, call.error));
        else runAndSend(session, call);
      }
    } else {
      void runTogether(session, batch);
    }
    return !parsed.every((call) => 'error' in call);
  }

  function sendParseError(session: Session, message: string): void {
    session.send(errorText(null, { code: rpcErrorCodes.parseError, message }));
  }

  return {
    refuseBinary: (session) => sendParseError(session, 'frames are text, not binary'),
    dispatch(session, frame) {
      const afterMs = calls.count(session.agentId, callsOf(frame.length));
      // It called far too often, and is closed already.
      if (!session.isOpen) return true;
      if (afterMs !== null && frame.length > maxRefusedBytes) {
        onLimited();
        session.send(errorText(null, rpcErrorOf(tooManyCalls(afterMs))));
        return true;
      }
      let value: unknown;
      try {
        value = JSON.parse(frame.toString());
      } catch {
        sendParseError(session, 'the frame is not JSON');
        return false;
      }
      if (Array.isArray(value)) return dispatchBatch(session, value, afterMs);
      const parsed = callOf(value);
      const call = allowed(parsed, afterMs);
      if (call !== null) {
        if ('error' in call) session.send(errorText(call.id, call.error));
        else runAndSend(session, call);
      }
      return !('error' in parsed);
    },
  };
}

const failureTexts = {
  unavailable: 'the database is away or busy; nothing happened',
  timeout: 'the database did not answer in time; it may have happened',
  internal: 'the hub could not do this',
} as const;

function isFailure(code: string): code is keyof typeof failureTexts {
  return Object.hasOwn(failureTexts, code);
}

/** The answer, but for the store's own words for its failures: they name hosts, ports, databases and files. */
export function withoutNames(reply: Answer<MethodName>): Answer<MethodName> {
  return !reply.ok && isFailure(reply.code)
    ? { ...reply, message: failureTexts[reply.code] }
    : reply;
}

/** The refusal that an exception amounts to: the store's, when the caller can do something about it, else `internal`. */
export function refusalOfError(error: unknown): Refusal {
  if (!(error instanceof ChatStoreError)) return refuse('internal', failureTexts.internal);
  const { code, message, retryAfterMs = 1_000 } = error;
  if (code === 'rate_limited') return refuse(code, message, retryAfterMs);
  return code === 'unavailable' || code === 'timeout'
    ? refuse(code, failureTexts[code], retryAfterMs)
    : refuse('internal', failureTexts.internal);
}

/** The refusal of a call beyond what its agent may make of this hub. */
export function tooManyCalls(afterMs: number): Refusal {
  return refuse('rate_limited', 'too many calls of this agent', afterMs);
}

/** The refusal of a call for whose answer unsent output leaves no room. */
export function refuseUnsent(unsent: Pick<UnsentBudget, 'retryAfterMs'>): Refusal {
  const message = 'too much that was sent to this agent has not been read';
  return refuse('rate_limited', message, unsent.retryAfterMs());
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

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function errorText(id: Id, error: RpcError): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error });
}
