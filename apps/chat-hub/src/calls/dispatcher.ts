import { limits } from '@openclaw/protocol';
import type { Session } from '../sockets/session.ts';
import type { UnsentBudget } from '../sockets/unsent-budget.ts';
import { collectReplies } from './batch.ts';
import { callsOf, type CallAllowance } from './call-allowance.ts';
import { createCallOrder } from './call-order.ts';
import { malformed, tooManyCalls, type MalformedCall } from './failure.ts';
import type { Caller } from './handler.ts';
import type { CallObserver, Invoke } from './invoke.ts';
import {
  readRequest,
  writeFailure,
  writeReply,
  type BadRequest,
  type Id,
  type Payload,
  type RpcRequest,
} from './json-rpc.ts';

/** Turns a socket's frames into calls, and their replies into frames. */
export interface Dispatcher {
  /** Takes one text frame. Returns false when the frame holds no JSON-RPC call at all. */
  dispatch(session: Session, frame: Buffer): boolean;
  /** Answers a binary frame: the protocol has none. */
  refuseBinary(session: Session): void;
}

/** Dependencies of {@link createDispatcher}. */
export interface DispatcherDeps {
  readonly invoke: Invoke;
  /** Counts every frame and call, before anything of it is read. */
  readonly allowance: Pick<CallAllowance, 'count'>;
  /** Called for each call that the allowance refuses here, because it is no call that could be invoked. */
  readonly onLimited: () => void;
  readonly observe: CallObserver;
  readonly unsent: Pick<UnsentBudget, 'open'>;
}

/** A request of a frame, and what the allowance said when it was counted. */
interface Counted {
  readonly request: RpcRequest | BadRequest;
  readonly overAllowanceMs: number | null;
}

/** Takes the response of a call. */
type Emit = (payload: Payload) => void;

/** A larger frame of an agent over its allowance is not read, not even for the id of its refusal. */
const maxRefusedBytes = 4_096;

/** Creates the dispatcher of all sockets. */
export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { invoke, allowance, onLimited, observe, unsent } = deps;
  const callers = new WeakMap<Session, Caller>();

  function callerOf(session: Session): Caller {
    let caller = callers.get(session);
    if (!caller) {
      const { identity } = session;
      caller = { identity, transport: 'ws', session, order: createCallOrder() };
      callers.set(session, caller);
    }
    return caller;
  }

  function answerMalformed(emit: Emit, id: Id, failure: MalformedCall): void {
    observe('unknown', 'ws', failure.code, null);
    emit(writeFailure(id, failure));
  }

  function run(
    session: Session,
    { request, overAllowanceMs }: Counted,
    emit: Emit,
    hasRoom?: () => boolean,
  ): Promise<void> {
    const { id } = request;
    if ('failure' in request) {
      if (overAllowanceMs === null) answerMalformed(emit, request.id, request.failure);
      else refuseUnread(emit, request.id, overAllowanceMs);
      return Promise.resolve();
    }
    return invoke({
      caller: callerOf(session),
      method: request.method,
      params: request.params,
      overAllowanceMs,
      respond: id === undefined ? null : (reply) => emit(writeReply(id, reply)),
      ...(hasRoom && { hasRoom }),
    });
  }

  function refuseUnread(emit: Emit, id: Id, afterMs: number): void {
    onLimited();
    observe('unknown', 'ws', 'rate_limited', null);
    emit(writeFailure(id, tooManyCalls(afterMs)));
  }

  /** The batch's first call was counted with its frame, with this outcome. */
  function dispatchBatch(
    session: Session,
    items: readonly unknown[],
    overAllowanceMs: number | null,
  ): boolean {
    const send: Emit = (payload) => session.send(payload);
    if (items.length === 0 || items.length > limits.batch) {
      const message =
        items.length === 0 ? 'an empty batch' : `a batch holds at most ${limits.batch} calls`;
      answerMalformed(send, null, malformed('invalid_request', message));
      return false;
    }
    const batch = items.map((item, index) => ({
      request: readRequest(item),
      overAllowanceMs: index === 0 ? overAllowanceMs : allowance.count(session.agentId),
    }));
    // The agent called far too often, and its sockets are closed by now.
    if (!session.isOpen) return true;
    if (session.acceptsBatches) for (const call of batch) void run(session, call, send);
    else
      void collectReplies(session, unsent, batch, (call, emit, hasRoom) =>
        run(session, call, emit, hasRoom),
      );
    return !batch.every(({ request }) => 'failure' in request);
  }

  return {
    refuseBinary: (session) =>
      answerMalformed(
        (payload) => session.send(payload),
        null,
        malformed('parse_error', 'frames are text, not binary'),
      ),
    dispatch(session, frame) {
      const send: Emit = (payload) => session.send(payload);
      const overAllowanceMs = allowance.count(session.agentId, callsOf(frame.length));
      // The agent called far too often, and its sockets are closed by now.
      if (!session.isOpen) return true;
      if (overAllowanceMs !== null && frame.length > maxRefusedBytes) {
        refuseUnread(send, null, overAllowanceMs);
        return true;
      }
      let value: unknown;
      try {
        value = JSON.parse(frame.toString());
      } catch {
        answerMalformed(send, null, malformed('parse_error', 'the frame is not JSON'));
        return false;
      }
      if (Array.isArray(value)) return dispatchBatch(session, value, overAllowanceMs);
      const request = readRequest(value);
      void run(session, { request, overAllowanceMs }, send);
      return !('failure' in request);
    },
  };
}
