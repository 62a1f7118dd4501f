import { randomUUID } from 'node:crypto';
import type { TopicName } from '@openclaw/key-schema';
import type { RedisSubscriber } from '@openclaw/redis-client';
import type { ProbeResult } from './event-bus.ts';

/** `topic` must be used by this probe alone. `publish` resolves when Redis accepted the nonce. */
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

  return {
    run(timeoutMs: number): Promise<ProbeResult> {
      const nonce = randomUUID();
      const startedMs = performance.now();
      const { promise, resolve } = Promise.withResolvers<ProbeResult>();
      let wasTaken = false;
      const timer = setTimeout(() => {
        // After a stall of this process, the answers may still wait in its sockets.
        setImmediate(() => resolve({ outcome: wasTaken ? 'lost' : 'refused' }));
      }, timeoutMs);
      waiting.set(nonce, () =>
        resolve({ outcome: 'back', latencyMs: performance.now() - startedMs }),
      );
      listen()
        .then(() => publish(topic, nonce))
        .then(
          () => (wasTaken = true),
          () => resolve({ outcome: 'refused' }),
        );
      return promise.finally(() => {
        clearTimeout(timer);
        waiting.delete(nonce);
      });
    },
    async close() {
      const end = await listening?.catch(() => null);
      // After the close, a failure to unsubscribe is harmless.
      await end?.().catch(() => undefined);
    },
  };
}
