import { encodeRosterMember, type KeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import type { LeaveEntry } from '../lease-store/lease-store.ts';

/** The most channels in one check. */
const channelsMax = 20;

export interface WipeDetectorDeps {
  readonly redis: Pick<RedisClient, 'pipeline'>;
  readonly keys: KeySchema;
  /** The channels with leases of this process. They may change during the walk. */
  readonly channelIds: () => Iterator<string>;
  readonly leasesOf: (channelId: string) => Iterable<LeaveEntry>;
  /** True if Redis must have the lease: its join was answered, and it was not ended. */
  readonly isExpected: (entry: LeaveEntry) => boolean;
}

/**
 * Detects that Redis lost leases although the connection held. Each check asks for one lease of this process in each of
 * the next few channels (ZSCORE, one round trip). It does not ask for the roster, which another process may have
 * written again already. A wipe shows in any channel; a single evicted roster shows when its channel is checked next.
 */
export function createWipeDetector(deps: WipeDetectorDeps) {
  const { redis, keys, channelIds, leasesOf, isExpected } = deps;
  let walk = channelIds();
  /** The leases of the last check, and how many of them are lost. */
  let lookedAt: readonly LeaveEntry[] = [];
  let lostCount = 0;

  function nextChannels(): Set<string> {
    const channels = new Set<string>();
    for (let restarts = 0; channels.size < channelsMax && restarts < 2;) {
      const next = walk.next();
      if (!next.done) channels.add(next.value);
      else {
        walk = channelIds();
        restarts += 1;
      }
    }
    return channels;
  }

  function firstExpectedIn(channelId: string): LeaveEntry[] {
    for (const entry of leasesOf(channelId)) if (isExpected(entry)) return [entry];
    return [];
  }

  return {
    /** Checks some leases. Resolves with true if one is lost. Rejects only if nothing could be sent. */
    async look(): Promise<boolean> {
      const entries = [...nextChannels()].flatMap(firstExpectedIn);
      if (entries.length === 0) return false;
      const replies = await redis.pipeline(
        entries.map(({ channelId, lease }) => [
          'zscore',
          keys.roster(channelId),
          encodeRosterMember(lease),
        ]),
      );
      // Redis may lack a lease that ended during the check, or whose join is not answered yet.
      lookedAt = entries.filter(isExpected);
      lostCount = entries.filter((entry, at) => replies[at] === null && isExpected(entry)).length;
      return lostCount > 0;
    },
    /**
     * Resolves with true if all leases of the last check are lost, and the agents' states too. Only a wipe loses
     * both, and every process finds it with its next check. After the eviction of single rosters the states are still
     * there. Call it before anything is written again. Rejects only if nothing could be sent.
     */
    async isWipe(): Promise<boolean> {
      if (lostCount === 0 || lostCount < lookedAt.length) return false;
      const replies = await redis.pipeline(
        lookedAt.map(({ channelId, lease }) => ['exists', keys.presence(channelId, lease.agentId)]),
      );
      return replies.every((reply) => reply === 0);
    },
  };
}

export interface WipeRepairDeps extends WipeDetectorDeps {
  readonly renewal: { readonly isCatchingUp: boolean; renewAllNow(): void };
  readonly onWiped: () => void;
  readonly warn: (details: object, message: string) => void;
}

/** Renews all leases as soon as {@link createWipeDetector} finds some lost. */
export function createWipeRepair(deps: WipeRepairDeps) {
  const { renewal } = deps;
  const detector = createWipeDetector(deps);
  let isLooking = false;

  /** Call it periodically. Never rejects. */
  return async function repairAfterWipe(): Promise<void> {
    // While all leases are being renewed, a missing lease proves no wipe.
    if (isLooking || renewal.isCatchingUp) return;
    isLooking = true;
    try {
      if (!(await detector.look()) || renewal.isCatchingUp) return;
      const isWipe = await detector.isWipe();
      if (renewal.isCatchingUp) return;
      renewal.renewAllNow();
      if (isWipe) deps.onWiped();
    } catch (error) {
      deps.warn({ err: error }, 'Redis could not be checked for lost presence leases');
    } finally {
      isLooking = false;
    }
  };
}
