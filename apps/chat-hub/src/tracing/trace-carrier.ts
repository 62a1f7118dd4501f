import { createTraceState, isSpanContextValid, type SpanContext } from '@opentelemetry/api';

/**
 * A longer `tracestate` is left out, which the W3C recommendation allows. `traceparent` is enough to join the spans.
 */
const maxStateLength = 512;

const carrierPattern =
  /^([A-Za-z0-9._@|~-]{1,128}) 00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?: ([\x20-\x7e]{1,512}))?$/;

export interface TraceCarrier {
  readonly eventId: string;
  readonly parent: SpanContext;
}

export function encodeCarrier({ eventId, parent }: TraceCarrier): string {
  const flags = parent.traceFlags.toString(16).padStart(2, '0');
  const state = parent.traceState?.serialize() ?? '';
  const traceParent = `${eventId} 00-${parent.traceId}-${parent.spanId}-${flags}`;
  return state === '' || state.length > maxStateLength ? traceParent : `${traceParent} ${state}`;
}

export function parseCarrier(text: string): TraceCarrier | null {
  const [, eventId, traceId, spanId, flags = '', state] = carrierPattern.exec(text) ?? [];
  if (eventId === undefined || traceId === undefined || spanId === undefined) return null;
  const parent: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(state !== undefined && { traceState: createTraceState(state) }),
  };
  return isSpanContextValid(parent) ? { eventId, parent } : null;
}
