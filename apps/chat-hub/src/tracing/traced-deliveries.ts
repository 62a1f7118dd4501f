import {
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Attributes,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import { LRUCache } from 'lru-cache';
import type { Delivery } from '../channels/flusher.ts';

/** Past this number of tracked events, the oldest is dropped without a span. */
const maxEvents = 8_192;

/** A span starts at the `epochMs` of its first moment. Its length is the difference of two `monotonicMs`. */
interface Moment {
  readonly epochMs: number;
  readonly monotonicMs: number;
}

interface TrackedEvent {
  arrived?: Moment;
  parent?: SpanContext;
  written?: { readonly at: Moment; readonly attributes: Attributes };
}

/**
 * The span of a sampled event lasts from its arrival at this hub until its frames were written to sockets. The event's
 * trace context may come before or after the event, because on Redis Cluster the two come from different nodes.
 */
export function createTracedDeliveries(tracer: Tracer, hubAttributes: Attributes) {
  const events = new LRUCache<string, TrackedEvent>({ max: maxEvents });

  function tracked(eventId: string): TrackedEvent {
    let event = events.get(eventId);
    if (!event) events.set(eventId, (event = {}));
    return event;
  }

  function endIfComplete(eventId: string, { arrived, parent, written }: TrackedEvent): void {
    if (!parent || !written) return;
    events.delete(eventId);
    // An event that the bus lost has no arrival, so its span begins at the write.
    const start = arrived ?? written.at;
    const span = tracer.startSpan(
      `deliver ${String(written.attributes['chat.event_type'])}`,
      {
        kind: SpanKind.CONSUMER,
        startTime: start.epochMs,
        attributes: { ...hubAttributes, ...written.attributes },
      },
      trace.setSpanContext(ROOT_CONTEXT, parent),
    );
    span.end(start.epochMs + written.at.monotonicMs - start.monotonicMs);
  }

  return {
    /** Call it when an event arrives from this hub's own publish or from another hub. */
    arrived(eventId: string) {
      tracked(eventId).arrived ??= now();
    },
    /** Call it when an event's trace context arrives. `parent` is the span that published the event. */
    carried(eventId: string, parent: SpanContext) {
      const event = tracked(eventId);
      event.parent = parent;
      endIfComplete(eventId, event);
    },
    written(deliveries: readonly Delivery[]) {
      const at = now();
      for (const { channelId, events: delivered, sockets } of deliveries) {
        for (const { id, type, seq } of delivered) {
          const event = tracked(id);
          const attributes = {
            'chat.channel_id': channelId,
            'chat.event_id': id,
            'chat.event_type': type,
            'chat.sockets': sockets,
            ...(seq !== null && { 'chat.seq': seq }),
          };
          event.written = { at, attributes };
          endIfComplete(id, event);
        }
      }
    },
  };
}

function now(): Moment {
  return { epochMs: Date.now(), monotonicMs: performance.now() };
}
