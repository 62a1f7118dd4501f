import type { IncomingHttpHeaders } from 'node:http';
import { directChannelId } from '@openclaw/chat-store';
import {
  isMethodName,
  limits,
  methods,
  refuse,
  type MethodDefinition,
  type MethodLimit,
  type MethodName,
  type ParamIssue,
  type ParamsOf,
} from '@openclaw/protocol';
import type { Decision, LocalRateLimiter } from '@openclaw/ratelimit';
import type { Logger } from 'pino';
import { encodedText, pieceChars } from '../event-loop/encoding-steps.ts';
import type { TimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import type { OnGone, Waited } from '../channels/call-waits.ts';
import type { InboxWaits } from '../channels/inbox-waits.ts';
import type { LogWaits } from '../channels/log-waits.ts';
import type { Unsent, UnsentBudget } from '../sockets/unsent-budget.ts';
import {
  malformed,
  refusalOfError,
  tooManyCalls,
  withoutNames,
  type CallOutcome,
  type Failure,
} from './failure.ts';
import type { Answer, Caller, Handler, Handlers, Transport } from './handler.ts';

export type LimitedAction = MethodLimit | 'create';

export type Limiter = Pick<LocalRateLimiter<LimitedAction>, 'limits' | 'consume'>;

export type ResultJson = string | readonly Buffer[];

/** `reserved` holds the memory for a large reply until `respond` has ended. It is null for other replies. */
export type Reply =
  { readonly ok: true; readonly json: ResultJson; readonly reserved: Unsent | null } | Failure;

export interface Call {
  readonly caller: Caller;
  readonly method: string;
  readonly params: unknown;
  /** When the agent is over its allowance of calls: how long it must wait before it calls again. Otherwise null. */
  readonly overAllowanceMs: number | null;
  /**
   * Gets the reply before the events of this call are sent. A later call on the channel waits until then, unless both
   * calls are writes.
   */
  readonly respond: ((reply: Reply) => void | Promise<void>) | null;
  /** False when the earlier answers of the same batch already exceed the size limit. */
  readonly hasRoom?: () => boolean;
  /** Registers a listener for the end of a REST request's connection. */
  readonly onGone?: OnGone;
  readonly headers?: IncomingHttpHeaders;
  readonly onLimit?: (action: LimitedAction, decision: Decision) => void;
}

export type Invoke = (call: Call) => Promise<void>;

/** `durationMs` is null when the call did not reach its handler; `agentId` is null when the caller is unknown. */
export type CallObserver = (
  method: MethodName | 'unknown',
  transport: Transport,
  outcome: CallOutcome,
  durationMs: number | null,
  agentId: string | null,
) => void;

interface Checked {
  readonly method: MethodName;
  readonly definition: MethodDefinition;
  readonly params: object;
}

const maxItems = limits.topics;
const maxIssues = 10;
/**
 * All bulky reads of a socket share this key in the call order. The colon keeps the key different from every channel
 * id.
 */
const bulkKey = ':bulk';

export function createInvoke(deps: {
  readonly handlers: Handlers;
  readonly limiter: Pick<Limiter, 'consume'>;
  readonly onLimited: () => void;
  readonly observe: CallObserver;
  /** The hub calls this when an admin's call was successful, before its reply. */
  readonly onAdminCall?: (caller: Caller, method: MethodName, params: object) => void;
  readonly unsent: UnsentBudget;
  readonly slices: TimeSlicedQueue;
  readonly logWaits: Pick<LogWaits, 'run'>;
  readonly inboxWaits: Pick<InboxWaits, 'run'>;
  readonly log: Logger;
}): Invoke {
  const { handlers, limiter, onLimited, observe, onAdminCall, unsent, slices, log } = deps;
  const { logWaits, inboxWaits } = deps;

  async function invoke(call: Call): Promise<void> {
    const { caller, respond } = call;
    const { session, transport, identity } = caller;
    const method = isMethodName(call.method) ? call.method : 'unknown';
    let durationMs: number | null = null;
    let isObserved = false;

    try {
      const checked = check(call);
      await ('ok' in checked ? reply(checked) : runCall(checked));
    } catch (error) {
      logFailure(error);
      // If the transport could not take the first reply, this one fails too.
      await reply(refusalOfError(null)).catch(logFailure);
    }

    async function runCall(checked: Checked): Promise<void> {
      session?.beginCall();
      try {
        const { definition, params } = checked;
        // The answers of a batch are sent in one array, and until then the socket sends nothing else. So a call in a
        // batch does not wait.
        const waits =
          definition.waits && (params as ParamsOf<'log.read'>).waitMs > 0 && !call.hasRoom;
        await (waits && respond ? runAfterWait(checked) : runInOrder(checked));
      } finally {
        session?.endCall();
      }
    }

    /** During the wait, the call has no place in the call order and no reserved memory. */
    async function runAfterWait(checked: Checked): Promise<void> {
      const onGone: OnGone = session
        ? (listener) => session.onClosed(listener)
        : (call.onGone ?? (() => () => undefined));
      const respondAfter = async (waited: Waited) => {
        if (waited === 'read') return runInOrder(checked);
        return waited === 'gone' ? end('abandoned') : reply(waited);
      };
      if (checked.method === 'inbox.read') {
        const params = checked.params as ParamsOf<'inbox.read'>;
        const wait = { identity, params, waitMs: params.waitMs, onGone };
        return inboxWaits.run(wait, respondAfter);
      }
      const { channelId, after, waitMs } = checked.params as ParamsOf<'log.read'>;
      return logWaits.run({ identity, channelId, after, waitMs, onGone }, respondAfter);
    }

    async function runInOrder(checked: Checked): Promise<void> {
      const { definition, params } = checked;
      const work = () => run(checked);
      if (!caller.order) return work();
      const keys = orderKeysOf(definition, params, identity.agentId);
      // A write that must first reserve memory reaches the store late. The next writes on the channel wait for it.
      const reachesStoreAtOnce =
        definition.kind === 'write' && replyBytes(definition, params) === 0;
      return caller.order.run(keys, reachesStoreAtOnce, work);
    }

    async function run({ definition, params, ...checked }: Checked): Promise<void> {
      const bytes = replyBytes(definition, params);
      // The only write that can have a large answer is a send with `basedOn`.
      const isBulky = definition.bulky !== undefined && (definition.kind !== 'write' || bytes > 0);
      // A socket may fall behind after it has made a call. A large reply would then add to its unsent output.
      if (isBulky && session && !(await session.whenDrained())) return end('abandoned');
      if (isBulky && call.hasRoom?.() === false)
        return reply(refuse('too_large', 'the answers of this batch are too large'));
      const reserved = bytes > 0 ? await unsent.reserve(identity.agentId, bytes) : null;
      if (bytes > 0 && !reserved) {
        const message = 'this agent has too much unread output: read it, then repeat the call';
        return reply(refuse('rate_limited', message, unsent.retryAfterMs()));
      }
      try {
        const startMs = performance.now();
        const answered = await handle(caller, checked.method, params);
        durationMs = performance.now() - startMs;
        if (!answered.ok) return await reply(answered);
        if (caller.identity.isAdmin) onAdminCall?.(caller, checked.method, params);
        const isStepwise = 'resultSteps' in answered;
        if (!respond && !isStepwise) return end('ok');
        // Until the reply is complete, the socket gets no events of the rooms that this call enters.
        const release = isStepwise ? session?.pauseCatchUp() : undefined;
        try {
          await reply({ ok: true, json: await encode(answered), reserved });
          if (isStepwise) answered.onReplied?.();
        } finally {
          release?.();
        }
      } finally {
        // From here on, the transport itself counts the reply's bytes until the peer has read them.
        reserved?.release();
      }
    }

    function end(outcome: CallOutcome): void {
      if (isObserved) return;
      isObserved = true;
      observe(method, transport, outcome, durationMs, identity.agentId);
    }

    async function reply(result: Reply): Promise<void> {
      end(result.ok ? 'ok' : result.code);
      await respond?.(result);
    }

    function logFailure(error: unknown): void {
      log.error({ err: error, method }, 'an answer could not be written');
    }
  }

  function check(call: Call): Checked | Failure {
    const { caller, method, overAllowanceMs } = call;
    const { session, identity } = caller;
    if (overAllowanceMs !== null) {
      onLimited();
      return tooManyCalls(overAllowanceMs);
    }
    if (!isMethodName(method))
      return malformed('method_not_found', `there is no method ${method.slice(0, 64)}`);
    if (session && session.callsInFlight >= limits.inFlight)
      return refuse('rate_limited', 'too many unanswered calls on this connection', 100);
    const definition: MethodDefinition = methods[method];
    const overlong = overlongListOf(call.params);
    if (overlong) return invalidParams(method, [overlong]);
    const parsed = definition.params.safeParse(call.params ?? {});
    if (!parsed.success) return invalidParams(method, parsed.error.issues);
    const decision = limiter.consume(definition.limit, identity.agentId);
    call.onLimit?.(definition.limit, decision);
    if (!decision.allowed) {
      const { limit, retryAfterMs } = decision;
      return refuse(
        'rate_limited',
        `the ${definition.limit} limit allows ${limit} calls in its window`,
        retryAfterMs,
      );
    }
    if (definition.kind === 'socket' && !session)
      return refuse('unsupported', `${method} needs a WebSocket`);
    return { method, definition, params: parsed.data };
  }

  async function handle(
    caller: Caller,
    method: MethodName,
    params: object,
  ): Promise<Answer<MethodName>> {
    try {
      const handler = handlers[method] as Handler<MethodName>;
      const answer = await handler(caller, params as never);
      return answer.ok ? answer : withoutNames(answer);
    } catch (error) {
      const refusal = refusalOfError(error);
      if (refusal.code === 'internal') {
        log.error({ err: error, method, ...aboutCaller(caller) }, 'a method failed');
      }
      return refusal;
    }
  }

  async function encode(answer: Exclude<Answer<MethodName>, Failure>): Promise<ResultJson> {
    if ('resultSteps' in answer) return slices.run(answer.resultSteps());
    if ('resultBytes' in answer) return answer.resultBytes.map(asBuffer);
    const text = JSON.stringify(answer.result);
    return text.length <= pieceChars ? text : slices.run(encodedText(text));
  }

  return invoke;
}

function aboutCaller({ identity, session, trace }: Caller): object {
  const { agentId } = identity;
  return session ? { agentId, sessionId: session.sessionId } : { agentId, ...trace };
}

/**
 * Finds an overlong list before the schema does. The schema would report each of 80,000 bad items, which blocks the
 * event loop for 100 ms.
 */
function overlongListOf(params: unknown): ParamIssue | null {
  if (typeof params !== 'object' || params === null) return null;
  for (const [name, value] of Object.entries(params)) {
    if (Array.isArray(value) && value.length > maxItems)
      return { path: [name], message: `the list has more than ${maxItems} items` };
  }
  return null;
}

function invalidParams(
  method: MethodName,
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): Failure {
  const reported = issues.slice(0, maxIssues).map(({ path, message }) => ({
    path: path.map((step) => (typeof step === 'symbol' ? String(step) : step)),
    message,
  }));
  return malformed('invalid_params', `invalid params for ${method}`, reported);
}

function orderKeysOf(definition: MethodDefinition, params: object, agentId: string): string[] {
  const { orderedBy, bulky, kind } = definition;
  const keys: string[] = [];
  if (orderedBy === 'channelId or agentId') {
    const place = params as { readonly channelId: string | null; readonly agentId: string | null };
    if (place.agentId !== null) keys.push(directChannelId(agentId, place.agentId));
    else if (place.channelId !== null) keys.push(place.channelId);
  } else if (orderedBy !== null) {
    const value = (params as Readonly<Record<string, unknown>>)[orderedBy];
    if (typeof value === 'string')
      keys.push(orderedBy === 'agentId' ? directChannelId(agentId, value) : value);
    else if (Array.isArray(value))
      for (const item of value as readonly (string | { readonly channelId: string })[])
        keys.push(typeof item === 'string' ? item : item.channelId);
  }
  if (bulky !== undefined && kind !== 'write') keys.push(bulkKey);
  return keys;
}

function replyBytes({ bulky = 0 }: MethodDefinition, params: object): number {
  const mostBytes =
    typeof bulky === 'number' ? bulky : (bulky as (params: object) => number)(params);
  const { limit } = params as { readonly limit?: number };
  // A client sent each row in one frame, so no row is larger than a frame.
  return limit === undefined ? mostBytes : Math.min(mostBytes, limit * limits.frameBytes);
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
