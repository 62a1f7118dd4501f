import { describe, expect, it } from '@jest/globals';
import { createTraceState, TraceFlags } from '@opentelemetry/api';
import { encodeCarrier, parseCarrier } from './trace-carrier.ts';

const parent = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: TraceFlags.SAMPLED,
};
const eventId = '018f-event';

describe('a trace carrier', () => {
  it('is the event id and the W3C traceparent', () => {
    const text = encodeCarrier({ eventId, parent });
    expect(text).toBe('018f-event 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
    expect(parseCarrier(text)).toEqual({ eventId, parent: { ...parent, isRemote: true } });
  });

  it('carries a tracestate, unless it is long', () => {
    const traceState = createTraceState('vendor=value,other=1');
    const carried = parseCarrier(encodeCarrier({ eventId, parent: { ...parent, traceState } }));
    expect(carried?.parent.traceState?.serialize()).toBe('vendor=value,other=1');
    const long = createTraceState(
      Array.from({ length: 10 }, (_, index) => `key${index}=${'x'.repeat(100)}`).join(','),
    );
    const text = encodeCarrier({ eventId, parent: { ...parent, traceState: long } });
    expect(text).toBe(encodeCarrier({ eventId, parent }));
  });

  it.each([
    '',
    eventId,
    `${eventId} 00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `${eventId} 00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
    `${eventId} 01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`,
    `${eventId} 00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01`,
    `${eventId} 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ${'x'.repeat(513)}`,
    `{"id":"${eventId}"}`,
  ])('is not read from %j', (text) => {
    expect(parseCarrier(text)).toBeNull();
  });
});
