import { encodeRosterMember, type KeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import type { LeaveEntry } from '../lease-store/lease-store.ts';

const channelsMax = 20;

export interface WipeDetectorDeps {
  readonly redis: Pick<RedisClient, 'pipeline'>;
  readonly keys: KeySchema;
  /** The channels may change during the iteration. */
  readonly channelIds: () => Iterator<string>;
  readonly leasesOf: (channelId: string) => Iterable<LeaveEntry>;
  /** True if Redis must have the lease: its join was answered, and it was not ended. */
  readonly isExpected: (entry: LeaveEntry) => boolean;
}

/**
 * Detects that Redis lost leases although the connection held. A check asks for one lease of this process in each of a
 * few channels (ZSCORE, one round trip). A roster that exists proves nothing, because another process may have restored
 * it.
 */
export function createWipeDetector(deps: WipeDetectorDeps) {
  const { redis, keys, channelIds, leasesOf, isExpected } = deps;
  let walk = channelIds();
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
    /** Checks one lease in each of the next channels. True if one is lost. Rejects only if nothing could be sent. */
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
      lookedAt = entries.filter(isExpected);
      lostCount = entries.filter((entry, at) => replies[at] === null && isExpected(entry)).length;
      return lostCount > 0;
    },
    /**
     * True if all leases of the last check are lost, and the states of their agents too: an eviction would leave some
     * states. Call it before anything is written again. Rejects only if nothing could be sent.
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

export function createWipeRepair(deps: WipeRepairDeps) {
  const { renewal } = deps;
  const detector = createWipeDetector(deps);
  let isLooking = false;

  /** Call it periodically. Never rejects. */
  return async function repairAfterWipe(): Promise<void> {
    // During a renewal of all leases, a missing lease does not prove a wipe.
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
