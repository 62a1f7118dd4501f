import { ttlMs, type KeySchema } from '@openclaw/key-schema';
import type { RedisClient, Script, ScriptCall } from '@openclaw/redis-client';
import { toUnavailable, type PresenceError } from './errors.ts';
import type { PresenceRecord, PresenceStatus } from './state.ts';

/** What Redis presence is made of. */
export interface RedisLeaseStoreDeps {
  readonly redis: Pick<RedisClient, 'pipeline' | 'run'>;
  readonly keys: KeySchema;
}

/** The most leases in one script call, which keeps Redis for about a millisecond at most. */
export const batchMax = 50;

/** Consecutive entries of one channel, which one script call serves; `places` are their places in what was given. */
export interface Batch<E> {
  readonly channelId: string;
  readonly entries: E[];
  readonly places: number[];
}

/** Parts entries into batches: one channel each, at most {@link batchMax}, in the order of their first entry. */
export function batchesOf<E extends { readonly channelId: string }>(
  entries: readonly E[],
): Batch<E>[] {
  const batches: Batch<E>[] = [];
  const open = new Map<string, Batch<E>>();
  entries.forEach((entry, place) => {
    let batch = open.get(entry.channelId);
    if (!batch || batch.entries.length === batchMax) {
      batch = { channelId: entry.channelId, entries: [], places: [] };
      open.set(entry.channelId, batch);
      batches.push(batch);
    }
    batch.entries.push(entry);
    batch.places.push(place);
  });
  return batches;
}

/** A record as scripts answer it: agentId, status, customStatus, avatar ('' is null), lastSeen. */
export type RecordReply = readonly [string, string, string, string, string | number];

/** Reads a script's record. */
export function recordOf([agentId, status, customStatus, avatar, lastSeen]: RecordReply) {
  return {
    agentId,
    status: status as PresenceStatus | 'offline',
    customStatus: customStatus === '' ? null : customStatus,
    avatar: avatar === '' ? null : avatar,
    lastSeen: Number(lastSeen),
  } satisfies PresenceRecord;
}

/** Makes this package's script calls, all of which begin with the same keys and arguments (src/lua/leases.lua). */
export function createChannelCalls(
  { redis, keys }: RedisLeaseStoreDeps,
  settings: {
    readonly leaseMs: number;
    readonly expiryDecides: boolean;
    readonly clock: (() => number) | undefined;
  },
) {
  const { leaseMs, expiryDecides, clock } = settings;
  // The roster outlives its leases, or nobody would find them ended: by a lease, for which reaping may wait after an
  // outage, and a minute at least.
  const keepMs = Math.max(leaseMs, 60_000);
  const hashMs = Math.max(leaseMs, ttlMs.presence);
  const decides = expiryDecides ? '1' : '0';

  return {
    call(
      script: Script,
      channelId: string,
      agentIds: readonly string[],
      args: readonly (string | number)[],
      leaseForMs = leaseMs,
    ): ScriptCall {
      const now = clock ? Math.floor(clock()) : '';
      return {
        script,
        keys: [
          keys.roster(channelId),
          keys.rosterAgents(channelId),
          ...agentIds.map((agentId) => keys.presence(channelId, agentId)),
        ],
        args: [now, leaseForMs, keepMs, hashMs, decides, ...args],
      };
    },

    /** One round trip. Each place holds a reply or why there is none. */
    async send(calls: readonly ScriptCall[]): Promise<unknown[]> {
      if (calls.length === 0) return [];
      try {
        const replies = await redis.pipeline(calls);
        return replies.map((reply) => (reply instanceof Error ? toUnavailable(reply) : reply));
      } catch (error) {
        const failure: PresenceError = toUnavailable(error);
        return calls.map(() => failure);
      }
    },
  };
}

/** What {@link createChannelCalls} makes. */
export type ChannelCalls = ReturnType<typeof createChannelCalls>;
