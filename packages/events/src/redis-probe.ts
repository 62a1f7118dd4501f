import { randomUUID } from 'node:crypto';
import type { TopicName } from '@openclaw/key-schema';
import type { RedisSubscriber } from '@openclaw/redis-client';
import type { ProbeResult } from './event-bus.ts';

/** What a probe works with. */
export interface RedisProbeParts {
  /** Nobody else publishes or listens there. */
  readonly topic: TopicName;
  readonly subscriber: RedisSubscriber;
  /** The way that events go; resolves when Redis took it. */
  readonly publish: (topic: TopicName, word: string) => Promise<void>;
}

/** Hears itself through Redis; subscribes when it is first run. */
export interface RedisProbe {
  run(timeoutMs: number): Promise<ProbeResult>;
  close(): Promise<void>;
}

/** Creates the probe of one bus. */
export function createRedisProbe({ topic, subscriber, publish }: RedisProbeParts): RedisProbe {
  const awaited = new Map<string, () => void>();
  let listening: ReturnType<RedisSubscriber['subscribe']> | null = null;

  function listen(): Promise<unknown> {
    listening ??= subscriber
      .subscribe(topic, (word) => awaited.get(word)?.())
      .catch((error: unknown) => {
        listening = null;
        throw error;
      });
    return listening;
  }

  async function run(timeoutMs: number): Promise<ProbeResult> {
    const word = randomUUID();
    let wasTaken = false;
    let timer: NodeJS.Timeout | undefined;
    const startedMs = performance.now();
    const back = new Promise<ProbeResult>((resolve) =>
      awaited.set(word, () =>
        resolve({ outcome: 'back', latencyMs: performance.now() - startedMs }),
      ),
    );
    const late = new Promise<ProbeResult>((resolve) => {
      timer = setTimeout(() => {
        // After a stall of this process the timer is due before what lies in the socket has been read.
        setImmediate(() => resolve({ outcome: wasTaken ? 'lost' : 'refused' }));
      }, timeoutMs);
    });
    const refused = listen()
      .then(() => publish(topic, word))
      .then(
        (): Promise<ProbeResult> => {
          wasTaken = true;
          return back;
        },
        (): ProbeResult => ({ outcome: 'refused' }),
      );
    try {
      return await Promise.race([back, refused, late]);
    } finally {
      clearTimeout(timer);
      awaited.delete(word);
    }
  }

  return {
    run,
    async close() {
      const end = await listening?.catch(() => null);
      // What Redis says to it changes nothing any more.
      await end?.().catch(() => undefined);
    },
  };
}
