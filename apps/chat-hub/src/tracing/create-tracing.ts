import {
  context,
  INVALID_TRACEID,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import type { EventBus, EventHandler } from '@openclaw/events';
import { isMethodName } from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { Call } from '../calls/invoke.ts';
import type { Closers } from '../closers.ts';
import type { Services } from '../services.ts';
import { createTracedDeliveries } from './traced-deliveries.ts';
import { createTraceRelay } from './trace-relay.ts';
import type { Tracing } from './tracing.ts';

/**
 * Records a span for each call, its commit, its publishes and their deliveries on every hub. The process must have
 * registered an OpenTelemetry SDK with a context manager. Otherwise a warning is logged and nothing is recorded. The
 * SDK decides which traces are sampled. Other hubs get nothing about a trace that is not sampled.
 */
export async function createTracing(
  deps: Pick<Services, 'redis' | 'keys'>,
  hubId: string,
  closers: Closers,
  log: Logger,
): Promise<Tracing> {
  const tracer = trace.getTracer('@openclaw/chat-hub');
  if (tracer.startSpan('start').spanContext().traceId === INVALID_TRACEID)
    log.warn('HUB_TRACING is on, but no OpenTelemetry SDK is registered: nothing is traced');
  const hubAttributes: Attributes = { 'hub.id': hubId };
  const deliveries = createTracedDeliveries(tracer, hubAttributes);
  const relay = closers.opened(
    await createTraceRelay({ ...deps, log }, ({ eventId, parent }) =>
      deliveries.carried(eventId, parent),
    ),
  );
  const upgrades = new WeakMap<object, Context>();
  /** The time is null outside of a dispatch. */
  let frameReadMs: number | null = null;

  function recordingParent(): { readonly parent: Context } | null {
    const parent = context.active();
    return trace.getSpan(parent)?.isRecording() ? { parent } : null;
  }

  function parentOf({ caller, headers }: Call): Context {
    const active = context.active();
    // Instrumentation of the HTTP server may have started a span for the request already.
    if (trace.getSpan(active)) return active;
    if (headers) return propagation.extract(active, headers);
    return upgrades.get(caller.identity) ?? active;
  }

  function traceHandler(handler: EventHandler): EventHandler {
    return (event, topic) => {
      deliveries.arrived(event.id);
      return handler(event, topic);
    };
  }

  return {
    accepted: (next) => (accepted) => {
      const upgrade = propagation.extract(ROOT_CONTEXT, accepted.headers);
      if (!trace.getSpanContext(upgrade)) return next(accepted);
      const identity = { ...accepted.identity };
      upgrades.set(identity, upgrade);
      next({ ...accepted, identity });
    },
    dispatcher: (next) => ({
      refuseBinary: (session) => next.refuseBinary(session),
      dispatch(session, frame) {
        frameReadMs = Date.now();
        try {
          return next.dispatch(session, frame);
        } finally {
          frameReadMs = null;
        }
      },
    }),
    invoke: (next) => async (call) => {
      const { caller, respond, method } = call;
      const { transport, order } = caller;
      const parent = parentOf(call);
      const known = isMethodName(method) ? method : 'unknown';
      const span = tracer.startSpan(
        `${transport === 'ws' ? 'frame' : 'request'} ${known}`,
        {
          kind: SpanKind.SERVER,
          attributes: { ...hubAttributes, 'rpc.system': 'jsonrpc', 'rpc.method': known },
          ...(frameReadMs !== null && { startTime: frameReadMs }),
        },
        parent,
      );
      const own = trace.setSpan(parent, span);
      const traced: Call = {
        ...call,
        caller: {
          ...caller,
          ...(order && {
            order: {
              // A queued call starts when another call ends, and would run in that call's trace context.
              run: (ids, isWrite, work) => order.run(ids, isWrite, context.bind(own, work)),
            },
          }),
        },
        respond:
          respond &&
          ((reply) => {
            if (!reply.ok) refuse(span, reply.code);
            return respond(reply);
          }),
      };
      try {
        await context.with(own, () => next(traced));
      } finally {
        span.end();
      }
    },
    store: (next) => ({
      async append(actor, method, params) {
        const recording = recordingParent();
        if (!recording) return next.append(actor, method, params);
        const span = tracer.startSpan(
          `append ${method}`,
          { kind: SpanKind.CLIENT, attributes: hubAttributes },
          recording.parent,
        );
        try {
          const outcome = await next.append(actor, method, params);
          if (!outcome.ok) refuse(span, outcome.code);
          return outcome;
        } catch (error) {
          fail(span, error);
          throw error;
        } finally {
          span.end();
        }
      },
    }),
    bus(next) {
      const publish: EventBus['publish'] = (event, to, invalidates, invalidatesOnGap) => {
        const recording = recordingParent();
        if (!recording) return next.publish(event, to, invalidates, invalidatesOnGap);
        const { id, type, channelId, seq } = event;
        const span = tracer.startSpan(
          `publish ${type}`,
          {
            kind: SpanKind.PRODUCER,
            attributes: {
              ...hubAttributes,
              'chat.event_id': id,
              ...(channelId !== null && { 'chat.channel_id': channelId }),
              ...(seq !== null && { 'chat.seq': seq }),
            },
          },
          recording.parent,
        );
        const own = span.spanContext();
        if ((own.traceFlags & TraceFlags.SAMPLED) !== 0) {
          deliveries.carried(id, own);
          relay.send({ eventId: id, parent: own });
        }
        const sent = next.publish(event, to, invalidates, invalidatesOnGap);
        sent.catch((error: unknown) => fail(span, error)).finally(() => span.end());
        return sent;
      };
      // The original bus is the prototype, so its getters return current values. A copy would keep old values.
      // Inherited methods work too, because they are closures and do not use `this`.
      return Object.create(next, {
        publish: { value: publish },
        subscribeChannel: {
          value: (channelId: string, handler: EventHandler) =>
            next.subscribeChannel(channelId, traceHandler(handler)),
        },
        subscribeAgent: {
          value: (agentId: string, handler: EventHandler) =>
            next.subscribeAgent(agentId, traceHandler(handler)),
        },
      }) as EventBus;
    },
    written: (next) => (written) => {
      next(written);
      deliveries.written(written);
    },
  };
}

/** Refusals are answers, so only a fault of the hub makes the span an error. */
function refuse(span: Span, code: string): void {
  span.setAttribute('chat.refusal', code);
  if (code === 'internal' || code === 'unavailable')
    span.setStatus({ code: SpanStatusCode.ERROR, message: code });
}

/** Records only the error's code, because its message may name hosts or contain text of a chat message. */
function fail(span: Span, error: unknown): void {
  const { code } = error as { readonly code?: unknown };
  span.setStatus({
    code: SpanStatusCode.ERROR,
    message: typeof code === 'string' ? code : 'internal',
  });
}
