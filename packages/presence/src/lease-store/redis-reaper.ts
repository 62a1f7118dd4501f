import { parseRosterMember } from '@openclaw/key-schema';
import { toBatches } from '@openclaw/redis-client';
import { PresenceError } from '../errors.ts';
import { parseOptions, type RedisLeaseStoreOptions } from '../options.ts';
import {
  batchMax,
  leaseArgs,
  parseRecord,
  type LeaseScripts,
  type RecordReply,
} from './lease-scripts.ts';
import type { LeaveEntry, PresenceChange } from './lease-store.ts';

/** `roundMax`: leases of one channel in a round. `roundsMax`: rounds of one call. */
const roundMax = 500;
const roundsMax = 100;
const channelsMax = 200;
/** The most channels whose next expiry is remembered. */
const rememberedMax = 100_000;

/**
 * Finds expired leases. Extends those of hubs that are alive without Redis, and ends the others if they are still
 * expired. A channel is skipped until its first lease can have ended.
 */
export function createRedisReaper(scripts: LeaseScripts, options: RedisLeaseStoreOptions) {
  const { leaseMs } = parseOptions(options);
  const { hubId: localHubId, redislessHubs, clock: monotonic = () => performance.now() } = options;
  // Leases are extended shortly before they expire, so that presence lists keep the agents of a hub that is alive
  // without Redis.
  const aheadMs = redislessHubs ? Math.min(2000, Math.floor(leaseMs / 6)) : 0;
  const extensionMs = Math.max(1, Math.floor(leaseMs / 3));
  const nextExpiryMs = new Map<string, number>();

  /**
   * Resolves with null if the look-up fails. Every other hub then counts as alive, because a late offline event is
   * better than a false one.
   */
  async function findHubsWithoutRedis(
    expired: readonly LeaveEntry[],
  ): Promise<ReadonlySet<string> | null> {
    const hubIds = new Set(expired.map(({ lease }) => lease.hubId));
    if (localHubId !== undefined) hubIds.delete(localHubId);
    if (!redislessHubs || hubIds.size === 0) return new Set();
    return redislessHubs([...hubIds]).catch(() => null);
  }

  async function findExpired(channelIds: readonly string[]) {
    const replies = await scripts.send(
      channelIds.map((channelId) => scripts.read('expired', channelId, [], [aheadMs, roundMax])),
    );
    const [failure] = replies;
    if (failure instanceof PresenceError && replies.every((reply) => reply === failure))
      throw failure;
    const expired: LeaveEntry[] = [];
    const unfinished: string[] = [];
    if (nextExpiryMs.size > rememberedMax) nextExpiryMs.clear();
    channelIds.forEach((channelId, index) => {
      const reply = replies[index];
      if (reply instanceof PresenceError) return;
      const [now, firstEndMs, members] = reply as [number, number, string[]];
      for (const member of members) {
        const lease = parseRosterMember(member);
        if (lease) expired.push({ channelId, lease });
      }
      if (members.length === roundMax) unfinished.push(channelId);
      if (members.length > 0) {
        nextExpiryMs.delete(channelId);
      } else {
        // A lease that begins later lasts `leaseMs`, so no lease ends during this wait.
        const waitMs = Math.min(leaseMs, firstEndMs === 0 ? leaseMs : firstEndMs - now) - aheadMs;
        nextExpiryMs.set(channelId, monotonic() + waitMs);
      }
    });
    return { expired, unfinished };
  }

  /** The next call retries a lease that cannot be decided now. */
  async function reapSome(channelIds: readonly string[]): Promise<PresenceChange[]> {
    const changes: PresenceChange[] = [];
    let due = channelIds;
    for (let round = 0; due.length > 0 && round < roundsMax; round += 1) {
      const { expired, unfinished } = await findExpired(due);
      const hubsWithoutRedis = await findHubsWithoutRedis(expired);
      const mayReap = ({ lease: { hubId } }: LeaveEntry) =>
        hubId === localHubId || (hubsWithoutRedis !== null && !hubsWithoutRedis.has(hubId));
      const toReap = toBatches(expired.filter(mayReap), batchMax);
      const toExtend = hubsWithoutRedis === null ? [] : expired.filter((one) => !mayReap(one));
      const replies = await scripts.send([
        ...scripts.changes('reap', toReap, leaseArgs),
        ...scripts.changes('extend', toBatches(toExtend, batchMax), leaseArgs, extensionMs),
      ]);
      toReap.forEach(({ channelId }, index) => {
        const reply = replies[index];
        if (reply instanceof PresenceError) return;
        for (const [, ...record] of reply as [number, ...RecordReply][]) {
          changes.push({ channelId, record: parseRecord(record) });
        }
      });
      const hasFailed = replies.some((reply) => reply instanceof PresenceError);
      if (hubsWithoutRedis === null || hasFailed) break;
      due = unfinished;
    }
    return changes;
  }

  return async function reap(channelIds: readonly string[]): Promise<PresenceChange[]> {
    const nowMs = monotonic();
    const due = channelIds.filter(
      (channelId) => nowMs >= (nextExpiryMs.get(channelId) ?? -Infinity),
    );
    const changes: PresenceChange[] = [];
    for (let at = 0; at < due.length; at += channelsMax) {
      try {
        changes.push(...(await reapSome(due.slice(at, at + channelsMax))));
      } catch (error) {
        // Returns the changes so far, because they must be announced. The next call retries the rest.
        if (changes.length === 0) throw error;
        break;
      }
    }
    return changes;
  };
}
