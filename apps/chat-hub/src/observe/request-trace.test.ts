import { describe, expect, it } from '@jest/globals';
import { traceOf } from './request-trace.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

describe('the trace of a request', () => {
  it('has the trace ids of a valid traceparent, of later versions too', () => {
    for (const traceparent of [`00-${traceId}-${spanId}-01`, `01-${traceId}-${spanId}-01-more`])
      expect(traceOf({ traceparent, 'x-request-id': 'r-1' })).toEqual({
        requestId: 'r-1',
        traceId,
        parentSpanId: spanId,
      });
  });

  it.each([
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-01x`,
    'x',
  ])('has no trace ids of %s', (traceparent) => {
    expect(Object.keys(traceOf({ traceparent }))).toEqual(['requestId']);
  });
});
