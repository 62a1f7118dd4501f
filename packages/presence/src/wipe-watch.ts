import { encodeRosterMember, type KeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import type { LeaveEntry } from './presence.ts';

/** Channels looked at in one round trip. */
const lookMax = 20;

/** What {@link createWipeWatch} works with. */
export interface WipeWatchDeps {
  readonly redis: Pick<RedisClient, 'pipeline'>;
  readonly keys: KeySchema;
  /** The channels in which this process holds leases; may change while they are walked. */
  readonly channelIds: () => Iterator<string>;
  /** Those leases of one channel. */
  readonly leasesOf: (channelId: string) => Iterable<LeaveEntry>;
  /** Whether Redis must have the lease: it was taken there, and not given up. */
  readonly isOwed: (entry: LeaveEntry) => boolean;
}

/**
 * Notices that Redis lost leases while the connection to it held: each look asks for one lease of this process in each of
 * the next few channels (ZSCORE, one round trip). Not for the roster, which another process may have written again already.
 * Of a wipe any channel tells; a single roster that was evicted is missed once its turn comes.
 */
export function createWipeWatch({ redis, keys, channelIds, leasesOf, isOwed }: WipeWatchDeps) {
  let walk = channelIds();

  function nextChannels(): Set<string> {
    const channels = new Set<string>();
    for (let restarts = 0; channels.size < lookMax && restarts < 2;) {
      const next = walk.next();
      if (!next.done) channels.add(next.value);
      else {
        walk = channelIds();
        restarts += 1;
      }
    }
    return channels;
  }

  function owedIn(channelId: string): LeaveEntry[] {
    for (const entry of leasesOf(channelId)) if (isOwed(entry)) return [entry];
    return [];
  }

  return {
    /** Whether a lease is lost. Rejects only if nothing could be sent. */
    async look(): Promise<boolean> {
      const entries = [...nextChannels()].flatMap(owedIn);
      if (entries.length === 0) return false;
      const replies = await redis.pipeline(
        entries.map(({ channelId, lease }) => [
          'zscore',
          keys.roster(channelId),
          encodeRosterMember(lease),
        ]),
      );
      // What was given up meanwhile, or is taken anew, is not owed any more.
      return entries.some((entry, at) => replies[at] === null && isOwed(entry));
    },
  };
}
