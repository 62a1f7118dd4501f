import { expect, it } from '@jest/globals';
import { pino } from 'pino';
import { createPublisher } from './publisher.ts';

// The fault: the operations page showed “Failed publishes” for a hub without Redis, where nothing had failed. The hub
// counted every publish that the bus refused, and without Redis the bus refuses every one.
it('counts failed publishes only while there is a Redis that they are meant to reach', () => {
  let isUsed = false;
  let failures = 0;
  const counter = { inc: () => (failures += 1) };
  const { countFailure } = createPublisher({
    bus: { publish: async () => undefined },
    encodeEphemeral: () => {
      throw new Error('nothing is published here');
    },
    metrics: { publishFailures: counter, droppedAnnouncements: counter } as never,
    log: pino({ level: 'silent' }),
    directMembers: async () => [],
    isRedisUsed: () => isUsed,
  });
  countFailure(new Error('unavailable'));
  expect(failures).toBe(0);
  // No Redis is configured, but the hub has now found one at the default address.
  isUsed = true;
  countFailure(new Error('unavailable'));
  expect(failures).toBe(1);
});
