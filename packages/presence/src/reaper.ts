import { parseRosterMember } from '@openclaw/key-schema';
import type { Script, ScriptCall } from '@openclaw/redis-client';
import { batchesOf, recordOf, type ChannelCalls, type RecordReply } from './channel-calls.ts';
import { PresenceError } from './errors.ts';
import type { PresenceChange } from './presence.ts';
import { scripts } from './scripts.ts';

/** Leases looked at in one round, per channel; and the most rounds of one call. */
const roundMax = 500;
const roundsMax = 100;
/** Channels asked about in one round trip. */
const channelsMax = 200;
/** Channels whose first end is remembered. */
const rememberedMax = 100_000;

interface Ended {
  readonly channelId: string;
  readonly member: string;
  readonly agentId: string;
  readonly hubId: string;
}

/** What a reaper needs beside Redis. */
export interface ReaperSettings {
  readonly leaseMs: number;
  readonly hubId: string | undefined;
  readonly redislessHubs: ((hubIds: readonly string[]) => Promise<ReadonlySet<string>>) | undefined;
  /** Runs evenly; its zero does not matter. */
  readonly monotonic: () => number;
}

/**
 * Ends expired leases: lists them, asks which of their hubs live without Redis, then lets a script vouch for those, and end
 * the others that are still expired. A channel whose first lease ends later is not asked again until then.
 */
export function createReaper(calls: ChannelCalls, settings: ReaperSettings) {
  const { leaseMs, hubId: own, redislessHubs, monotonic } = settings;
  // A hub that is cut off is vouched for shortly before its leases end, so that nobody sees its agents missing in between.
  const aheadMs = redislessHubs ? Math.min(2000, Math.floor(leaseMs / 6)) : 0;
  const vouchMs = Math.max(1, Math.floor(leaseMs / 3));
  const quietUntil = new Map<string, number>();

  async function speechlessHubs(ended: readonly Ended[]): Promise<ReadonlySet<string> | null> {
    const others = [...new Set(ended.map(({ hubId }) => hubId))].filter((hubId) => hubId !== own);
    if (!redislessHubs || others.length === 0) return new Set();
    // Who cannot be asked about is taken to live: a late offline event is better than a false one.
    return redislessHubs(others).catch(() => null);
  }

  /** What has ended or soon will, and which channels hold more of it than one round takes. */
  async function look(channelIds: readonly string[]) {
    const replies = await calls.send(
      channelIds.map((channelId) =>
        calls.call(scripts.expired, channelId, [], [aheadMs, roundMax]),
      ),
    );
    const failure = replies[0];
    if (failure instanceof PresenceError && replies.every((reply) => reply === failure))
      throw failure;
    const ended: Ended[] = [];
    const full: string[] = [];
    if (quietUntil.size > rememberedMax) quietUntil.clear();
    channelIds.forEach((channelId, index) => {
      const reply = replies[index];
      if (reply instanceof PresenceError) return;
      const [now, first, members] = reply as [number, number, string[]];
      for (const member of members) {
        const lease = parseRosterMember(member);
        if (lease) ended.push({ channelId, member, agentId: lease.agentId, hubId: lease.hubId });
      }
      if (members.length === roundMax) full.push(channelId);
      if (members.length > 0) quietUntil.delete(channelId);
      // A lease taken from now on ends a lease from now.
      else {
        const quietMs = Math.min(leaseMs, first === 0 ? leaseMs : first - now) - aheadMs;
        quietUntil.set(channelId, monotonic() + quietMs);
      }
    });
    return { ended, full };
  }

  /** Ends what has ended in these channels; leaves what it cannot decide now for the next time. */
  async function reapSome(channelIds: readonly string[]): Promise<PresenceChange[]> {
    const changes: PresenceChange[] = [];
    let due = channelIds;
    for (let round = 0; due.length > 0 && round < roundsMax; round += 1) {
      const { ended, full } = await look(due);
      const alive = await speechlessHubs(ended);
      const mayGo = ({ hubId }: Ended) => hubId === own || (alive !== null && !alive.has(hubId));
      const doomed = batchesOf(ended.filter(mayGo));
      const vouched = alive === null ? [] : ended.filter((one) => !mayGo(one));
      const toCalls = (script: Script, batches: typeof doomed, forMs: number) =>
        batches.map(({ channelId, entries }): ScriptCall => {
          const agentIds = entries.map(({ agentId }) => agentId);
          const members = entries.map(({ member }) => member);
          return calls.call(script, channelId, agentIds, members, forMs);
        });
      const replies = await calls.send([
        ...toCalls(scripts.reap, doomed, leaseMs),
        ...toCalls(scripts.vouch, batchesOf(vouched), vouchMs),
      ]);
      doomed.forEach(({ channelId }, index) => {
        const reply = replies[index];
        if (reply instanceof PresenceError) return;
        for (const [, ...record] of reply as [number, ...RecordReply][]) {
          changes.push({ channelId, record: recordOf(record) });
        }
      });
      if (alive === null || replies.some((reply) => reply instanceof PresenceError)) break;
      due = full;
    }
    return changes;
  }

  return async function reap(channelIds: readonly string[]): Promise<PresenceChange[]> {
    const nowMs = monotonic();
    const due = channelIds.filter((channelId) => nowMs >= (quietUntil.get(channelId) ?? -Infinity));
    const changes: PresenceChange[] = [];
    for (let at = 0; at < due.length; at += channelsMax) {
      try {
        changes.push(...(await reapSome(due.slice(at, at + channelsMax))));
      } catch (error) {
        // What was found has to be told all the same; the rest comes with the next call.
        if (changes.length === 0) throw error;
        break;
      }
    }
    return changes;
  };
}
