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
  /** Those of the last look whose leases were asked for, and how many of them were lost. */
  let looked: readonly LeaveEntry[] = [];
  let lost = 0;

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
      looked = entries.filter(isOwed);
      lost = entries.filter((entry, at) => replies[at] === null && isOwed(entry)).length;
      return lost > 0;
    },
    /**
     * Whether all that the last look asked for is lost, the agents' states too: a wipe, which every process notices, and
     * not a roster that was evicted, which one with many channels may miss for a while. To be asked before anything is
     * written again. Rejects only if nothing could be sent.
     */
    async isWipe(): Promise<boolean> {
      if (lost === 0 || lost < looked.length) return false;
      const replies = await redis.pipeline(
        looked.map(({ channelId, lease }) => ['exists', keys.presence(channelId, lease.agentId)]),
      );
      return replies.every((reply) => reply === 0);
    },
  };
}
