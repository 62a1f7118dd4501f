import { createCache } from '@openclaw/cache';
import type { Maintenance } from '@openclaw/chat-store/maintenance';
import { createKeySchema } from '@openclaw/key-schema';
import type { Channel, Message } from '@openclaw/protocol';
import { createRedisClient, type RedisConnection } from '@openclaw/redis-client';

const waitMs = 3000;
const channelsAtOnce = 500;

/**
 * Removes the cached values of the restored channels. A cached page counts as current while the log has the same head
 * as the page. The restored log can reach this head with other events, so an old page would be served. Resolves with
 * false if Redis does not answer.
 */
export async function forgetCaches(
  connection: RedisConnection,
  maintenance: Maintenance,
): Promise<boolean> {
  const redis = createRedisClient({ ...connection, connectionName: 'openclaw-restore' });
  const cache = createCache<Channel, Message>({
    redis,
    keys: createKeySchema({ hashTags: connection.cluster !== undefined }),
  });
  try {
    if (!redis.available) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        const off = redis.onAvailability((isAvailable) => {
          if (!isAvailable) return;
          clearTimeout(timer);
          off();
          resolve();
        });
      });
    }
    if (!redis.available) return false;
    for (let after = ''; ;) {
      const channelIds = await maintenance.channelIds(after, channelsAtOnce);
      const last = channelIds.at(-1);
      if (last === undefined) return true;
      await cache.drop(channelIds, { forgetHeads: true });
      after = last;
    }
  } catch {
    return false;
  } finally {
    await cache.close();
    await redis.close();
  }
}
