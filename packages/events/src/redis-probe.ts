import { randomUUID } from 'node:crypto';
import type { TopicName } from '@openclaw/key-schema';
import type { RedisSubscriber } from '@openclaw/redis-client';
import type { ProbeResult } from './event-bus.ts';

/**
 * Publishes to itself through Redis. Subscribes to `topic`, which only this probe uses, when it is first run. `publish`
 * resolves when Redis took the nonce.
 */
export function createRedisProbe(
  topic: TopicName,
  subscriber: RedisSubscriber,
  publish: (topic: TopicName, nonce: string) => Promise<void>,
) {
  const waiting = new Map<string, () => void>();
  let listening: ReturnType<RedisSubscriber['subscribe']> | null = null;

  function listen(): Promise<unknown> {
    listening ??= subscriber
      .subscribe(topic, (nonce) => waiting.get(nonce)?.())
      .catch((error: unknown) => {
        listening = null;
        throw error;
      });
    return listening;
  }

  async function run(timeoutMs: number): Promise<ProbeResult> {
    const nonce = randomUUID();
    let wasTaken = false;
    let timer: NodeJS.Timeout | undefined;
    const startedMs = performance.now();
    const back = new Promise<ProbeResult>((resolve) =>
      waiting.set(nonce, () =>
        resolve({ outcome: 'back', latencyMs: performance.now() - startedMs }),
      ),
    );
    const late = new Promise<ProbeResult>((resolve) => {
      timer = setTimeout(() => {
        // If this process stalled, its sockets may hold unread answers when the timer fires.
        setImmediate(() => resolve({ outcome: wasTaken ? 'lost' : 'refused' }));
      }, timeoutMs);
    });
    const refused = listen()
      .then(() => publish(topic, nonce))
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
      waiting.delete(nonce);
    }
  }

  return {
    run,
    async close() {
      const end = await listening?.catch(() => null);
      // A failed unsubscribe no longer matters.
      await end?.().catch(() => undefined);
    },
  };
}
