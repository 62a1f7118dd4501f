import { describe, expect, it } from '@jest/globals';
import { TraceFlags } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { encodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';
import { createTracedDeliveries } from './traced-deliveries.ts';

const parent = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
};

function eventOf(seq: number) {
  const event = {
    type: 'collaboration.event',
    channelId: 'general',
    name: 'n',
    payload: {},
  } as const;
  const rest = { senderId: 's', senderKind: null, channelId: 'general', epoch: 'e', timestamp: 1 };
  return encodeEnvelope({ ...rest, id: `event-${seq}`, event, seq });
}

function createBench() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const deliveries = createTracedDeliveries(provider.getTracer('test'), { 'hub.id': 'hub-1' });
  const written = (...events: EncodedEnvelope[]) =>
    deliveries.written([{ channelId: 'general', events, sockets: 3 }]);
  return { exporter, deliveries, written };
}

describe('the span of a delivery', () => {
  // On Redis Cluster an event and its trace context come from different nodes, so either may arrive first.
  it.each([
    ['before the event', ['carried', 'arrived', 'written']],
    ['between its arrival and its delivery', ['arrived', 'carried', 'written']],
    ['after its delivery', ['arrived', 'written', 'carried']],
  ])('is created once when the trace context comes %s', (_, order) => {
    const { exporter, deliveries, written } = createBench();
    const event = eventOf(7);
    const steps: Record<string, () => void> = {
      carried: () => deliveries.carried(event.id, parent),
      arrived: () => deliveries.arrived(event.id),
      written: () => written(event),
    };
    for (const step of order) steps[step]?.();
    const [span, ...others] = exporter.getFinishedSpans();
    expect(others).toEqual([]);
    expect(span?.name).toBe('deliver collaboration.event');
    expect(span?.spanContext().traceId).toBe(parent.traceId);
    expect(span?.parentSpanContext?.spanId).toBe(parent.spanId);
    expect(span?.attributes).toEqual({
      'hub.id': 'hub-1',
      'chat.channel_id': 'general',
      'chat.event_id': event.id,
      'chat.event_type': 'collaboration.event',
      'chat.sockets': 3,
      'chat.seq': 7,
    });
  });

  it('is not created for an event without a trace context', () => {
    const { exporter, deliveries, written } = createBench();
    const [plain, traced] = [eventOf(1), eventOf(2)];
    for (const { id } of [plain, traced]) deliveries.arrived(id);
    deliveries.carried(traced.id, parent);
    written(plain, traced);
    expect(exporter.getFinishedSpans().map(({ attributes }) => attributes['chat.seq'])).toEqual([
      2,
    ]);
  });

  it('has no length when the event came from the log and never arrived', () => {
    const { exporter, deliveries, written } = createBench();
    const event = eventOf(1);
    deliveries.carried(event.id, parent);
    written(event);
    expect(exporter.getFinishedSpans()[0]?.duration).toEqual([0, 0]);
  });
});
