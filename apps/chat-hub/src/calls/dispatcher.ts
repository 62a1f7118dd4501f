import { limits, rpcErrorCodes, type RpcError } from '@openclaw/protocol';
import type { Payload } from '../sockets/output.ts';
import type { Session } from '../sockets/session.ts';
import type { UnsentBudget } from '../sockets/unsent-budget.ts';
import { callsOf, type CallAllowance } from './call-allowance.ts';
import { createCallOrder } from './call-order.ts';
import { malformed, tooManyCalls, type Failure, type MalformedCall } from './failure.ts';
import type { Caller } from './handler.ts';
import type { CallObserver, Invoke, Reply } from './invoke.ts';

type Id = string | number | null;

interface RpcRequest {
  readonly id: Id | undefined;
  readonly method: string;
  readonly params: unknown;
}

interface BadRequest {
  readonly id: Id;
  readonly failure: MalformedCall;
}

/**
 * The hub ignores a client's response. If the hub answered it with an error, this error would end the client's own call
 * with the same id.
 */
interface ClientResponse {
  readonly isResponse: true;
}

type Received = RpcRequest | BadRequest | ClientResponse;

interface Counted {
  readonly request: Received;
  readonly overAllowanceMs: number | null;
}

type Emit = (payload: Payload) => void;

/** If an agent is over its allowance, a frame of more bytes is not parsed, so its refusal carries no id. */
const maxRefusedBytes = 4_096;

export function createDispatcher(deps: {
  readonly invoke: Invoke;
  readonly allowance: Pick<CallAllowance, 'count'>;
  /**
   * Called when the allowance refuses something that is not passed to `invoke`: an unparsed frame, or an invalid call.
   * `invoke` reports its refusals itself.
   */
  readonly onLimited: () => void;
  readonly observe: CallObserver;
  readonly unsent: Pick<UnsentBudget, 'open'>;
}) {
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

  function answerMalformed(emit: Emit, id: Id, failure: MalformedCall, agentId: string): void {
    observe('unknown', 'ws', failure.code, null, agentId);
    emit(writeFailure(id, failure));
  }

  function run(
    session: Session,
    { request, overAllowanceMs }: Counted,
    emit: Emit,
    hasRoom?: () => boolean,
  ): Promise<void> {
    if ('isResponse' in request) return Promise.resolve();
    const { id } = request;
    if ('failure' in request) {
      if (overAllowanceMs === null)
        answerMalformed(emit, request.id, request.failure, session.agentId);
      else refuseUnread(emit, request.id, overAllowanceMs, session.agentId);
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

  function refuseUnread(emit: Emit, id: Id, afterMs: number, agentId: string): void {
    onLimited();
    observe('unknown', 'ws', 'rate_limited', null, agentId);
    emit(writeFailure(id, tooManyCalls(afterMs)));
  }

  /** `overAllowanceMs` applies to the first call, which was counted with the frame. The others are counted here. */
  function dispatchBatch(
    session: Session,
    items: readonly unknown[],
    overAllowanceMs: number | null,
  ): boolean {
    const send: Emit = (payload) => session.send(payload);
    if (items.length === 0 || items.length > limits.batch) {
      const message =
        items.length === 0 ? 'an empty batch' : `a batch holds at most ${limits.batch} calls`;
      answerMalformed(send, null, malformed('invalid_request', message), session.agentId);
      return false;
    }
    const batch = items.map((item, index) => ({
      request: readRequest(item),
      overAllowanceMs: index === 0 ? overAllowanceMs : allowance.count(session.agentId),
    }));
    if (!session.isOpen) return true;
    if (session.acceptsBatches) for (const call of batch) void run(session, call, send);
    else void runTogether(session, batch);
    return !batch.every(({ request }) => 'failure' in request);
  }

  /** Sends the responses as one array. Until then, the socket's other frames are buffered. */
  async function runTogether(session: Session, batch: readonly Counted[]): Promise<void> {
    const responses: (Payload | undefined)[] = batch.map(() => undefined);
    let bytes = 0;
    const hasRoom = () => bytes < limits.resumeBytes;
    const waiting = unsent.open(session.agentId);
    const release = session.buffer();
    const runs = batch.map((call, index) => {
      const emit = (payload: Payload) => {
        responses[index] = payload;
        for (const piece of typeof payload === 'string' ? [payload] : payload)
          bytes += Buffer.byteLength(piece);
        waiting.settle(bytes);
      };
      return run(session, call, emit, hasRoom);
    });
    await Promise.all(runs);
    const pieces: Buffer[] = [];
    for (const response of responses) {
      if (response === undefined) continue;
      pieces.push(Buffer.from(pieces.length === 0 ? '[' : ','));
      if (typeof response === 'string') pieces.push(Buffer.from(response));
      else pieces.push(...response);
    }
    release(pieces.length > 0 ? [...pieces, Buffer.from(']')] : null);
    waiting.release();
  }

  return {
    refuseBinary(session: Session) {
      const failure = malformed(
        'parse_error',
        'send JSON in text frames: binary frames are not read',
      );
      answerMalformed((payload) => session.send(payload), null, failure, session.agentId);
    },
    /** Returns false when the frame is malformed, or every entry of its batch is. */
    dispatch(session: Session, frame: Buffer) {
      const send: Emit = (payload) => session.send(payload);
      const overAllowanceMs = allowance.count(session.agentId, callsOf(frame.length));
      // The agent was barred for calling too often, so its sockets are already closed.
      if (!session.isOpen) return true;
      if (overAllowanceMs !== null && frame.length > maxRefusedBytes) {
        refuseUnread(send, null, overAllowanceMs, session.agentId);
        return true;
      }
      let value: unknown;
      try {
        value = JSON.parse(frame.toString());
      } catch {
        const failure = malformed('parse_error', 'the frame is not JSON');
        answerMalformed(send, null, failure, session.agentId);
        return false;
      }
      if (Array.isArray(value)) return dispatchBatch(session, value, overAllowanceMs);
      const request = readRequest(value);
      void run(session, { request, overAllowanceMs }, send);
      return !('failure' in request);
    },
  };
}

export type Dispatcher = ReturnType<typeof createDispatcher>;

// JavaScript may round a number above MAX_SAFE_INTEGER. The answer could then carry a different id and match no call.
function isCallId(id: unknown): id is Id | undefined {
  if (typeof id === 'number') return Math.abs(id) <= Number.MAX_SAFE_INTEGER;
  return id === undefined || id === null || typeof id === 'string';
}

function readRequest(value: unknown): Received {
  const bad = (id: Id, message: string) => ({ id, failure: malformed('invalid_request', message) });
  if (typeof value !== 'object' || value === null) return bad(null, 'a call is an object');
  const { jsonrpc, id, method, params } = value as Record<string, unknown>;
  if (method === undefined && ('result' in value || 'error' in value)) return { isResponse: true };
  if (!isCallId(id)) return bad(null, 'id must be a string or a number that keeps its value');
  if (jsonrpc !== '2.0') return bad(id ?? null, 'jsonrpc must be "2.0"');
  if (typeof method !== 'string') return bad(id ?? null, 'method must be a string');
  if (params !== undefined && (typeof params !== 'object' || params === null)) {
    return bad(id ?? null, 'params must be an object');
  }
  return { id, method, params };
}

function writeReply(id: Id, reply: Reply): Payload {
  if (!reply.ok) return writeFailure(id, reply);
  const [before, after] = [`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`, '}'];
  const { json } = reply;
  return typeof json === 'string'
    ? `${before}${json}${after}`
    : [Buffer.from(before), ...json, Buffer.from(after)];
}

function writeFailure(id: Id, failure: Failure): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: rpcErrorOf(failure) });
}

function rpcErrorOf(failure: Failure): RpcError {
  const { message } = failure;
  switch (failure.code) {
    case 'parse_error':
      return { code: rpcErrorCodes.parseError, message };
    case 'invalid_request':
      return { code: rpcErrorCodes.invalidRequest, message };
    case 'method_not_found':
      return { code: rpcErrorCodes.methodNotFound, message };
    case 'invalid_params':
      return { code: rpcErrorCodes.invalidParams, message, data: failure.issues ?? [] };
    default: {
      const { code, retryAfterMs, details } = failure;
      const data = { code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }), ...details };
      return { code: rpcErrorCodes.refused, message, data };
    }
  }
}
