import type { KeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';

/** Channels looked at in one round trip. */
const lookMax = 20;

/** What {@link createWipeWatch} works with. */
export interface WipeWatchDeps {
  readonly redis: Pick<RedisClient, 'pipeline'>;
  readonly keys: KeySchema;
  /** The channels in which this process holds leases; may change while they are walked. */
  readonly channelIds: () => Iterator<string>;
  /** Whether Redis must have a lease of this process in the channel: one was taken there, and not given up. */
  readonly isOwed: (channelId: string) => boolean;
}

/**
 * Notices that Redis lost rosters while the connection to it held: each look asks whether those of the next few channels
 * are there (ZCARD, one round trip). Of a wipe any channel tells; a single roster that was evicted is missed once its
 * turn comes.
 */
export function createWipeWatch({ redis, keys, channelIds, isOwed }: WipeWatchDeps) {
  let walk = channelIds();

  function nextChannels(): string[] {
    const channels = new Set<string>();
    for (let restarts = 0; channels.size < lookMax && restarts < 2;) {
      const next = walk.next();
      if (!next.done) channels.add(next.value);
      else {
        walk = channelIds();
        restarts += 1;
      }
    }
    return [...channels];
  }

  return {
    /** Whether a roster is lost. Rejects only if nothing could be sent. */
    async look(): Promise<boolean> {
      const channels = nextChannels();
      if (channels.length === 0) return false;
      const replies = await redis.pipeline(
        channels.map((channelId) => ['zcard', keys.roster(channelId)]),
      );
      // Asked only now: a join that was sent after this look is answered after it, so it is still owed nothing.
      return channels.some((channelId, at) => replies[at] === 0 && isOwed(channelId));
    },
  };
}
