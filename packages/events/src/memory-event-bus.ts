import { createKeySchema } from '@openclaw/key-schema';
import { createThrottledWarn } from '@openclaw/redis-client';
import { createBus } from './bus-over-transport.ts';
import type { EventBus, EventsLogger } from './event-bus.ts';

export interface MemoryEventBusOptions {
  /** Gets the errors of handlers. @default none */
  readonly logger?: EventsLogger;
  /** Epoch milliseconds. @default Date.now */
  readonly clock?: () => number;
}

export function createMemoryEventBus(options: MemoryEventBusOptions = {}): EventBus {
  const highestSeqs = new Map<string, number>();
  const highest = (channelId: string) => highestSeqs.get(channelId) ?? 0;
  return createBus(
    createKeySchema(),
    {
      async send({ event: { channelId, seq } }) {
        if (channelId !== null && seq !== null && seq > highest(channelId)) {
          highestSeqs.set(channelId, seq);
        }
      },
      listen: async () => async () => {},
      async nextSeq(channelId) {
        const seq = highest(channelId) + 1;
        highestSeqs.set(channelId, seq);
        return seq;
      },
      probe: async () => ({ outcome: 'back', latencyMs: 0 }),
      onResubscribed: () => () => {},
      available: true,
      wasAvailable: true,
      stats: { pending: 0, echoes: 0, malformed: 0 },
      idle: async () => {},
      close: async () => {},
    },
    createThrottledWarn(options.logger, options.clock ?? Date.now),
  );
}
