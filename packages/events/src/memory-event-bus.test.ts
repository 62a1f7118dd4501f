import { describe, expect, it } from '@jest/globals';
import { eventBusContract } from './event-bus.contract.ts';
import { createMemoryEventBus } from './memory-event-bus.ts';
import { createManualClock } from './testing/manual-clock.ts';
import { sampleMessage } from './testing/sample-events.ts';

eventBusContract('the event bus in memory', async () => {
  const bus = createMemoryEventBus();
  return { publisher: bus, subscriber: bus, close: () => bus.close() };
});

describe('the event bus in memory', () => {
  it('delivers before publish returns', async () => {
    const bus = createMemoryEventBus();
    const seen: string[] = [];
    await bus.subscribeChannel('general', ({ id }) => seen.push(id));
    const event = sampleMessage();
    const published = bus.publish(event, { channel: true });
    expect(seen).toEqual([event.id]);
    await published;
  });

  it('is always available and never resubscribes', async () => {
    const bus = createMemoryEventBus();
    expect(bus.available).toBe(true);
    bus.onResubscribed(() => {
      throw new Error('never');
    })();
    expect(bus.stats).toMatchObject({ pending: 0, echoes: 0, malformed: 0, received: 0 });
  });

  it('logs a failing handler once a second, with how often it failed', async () => {
    const clock = createManualClock();
    const lines: object[] = [];
    const logger = { warn: (details: object) => lines.push(details) };
    const bus = createMemoryEventBus({ logger, clock: clock.now });
    await bus.subscribeChannel('general', () => {
      throw new Error('broken');
    });
    for (let second = 0; second < 2; second += 1) {
      for (let turn = 0; turn < 10; turn += 1)
        await bus.publish(sampleMessage(), { channel: true });
      clock.advance(1_000);
    }
    expect(lines).toEqual([
      expect.objectContaining({ count: 1, err: new Error('broken') }),
      expect.objectContaining({ count: 10 }),
    ]);
    expect(bus.stats.handlerErrors).toBe(20);
  });
});
