import type { KeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import { PresenceError } from './errors.ts';
import { createHeartbeat } from './heartbeat.ts';
import { createLateChanges } from './late.ts';
import { parseOptions, type PresenceTrackerOptions } from './options.ts';
import { createOutbox } from './outbox.ts';
import type {
  JoinEntry,
  JoinOutcome,
  LeaveEntry,
  PresenceChange,
  RenewEntry,
  UpdateEntry,
} from './presence.ts';
import { createRedisPresence } from './redis-presence.ts';
import type { Roster } from './roster.ts';
import { stateOf, type PresenceRecord } from './state.ts';
import type { Decision } from './tracker.ts';

/** What the Redis side of a tracker works with. */
export interface RemoteDeps {
  readonly redis: RedisClient;
  readonly keys: KeySchema;
  /** This process' own connections, which the caller has already changed when it calls here. */
  readonly own: Roster;
  emit(change: PresenceChange, degraded: boolean): void;
  warn(details: object, message: string): void;
  now(): number;
}

/**
 * Lets Redis decide what a change comes to; while it is away, what the process' own connections make of it stands, and
 * Redis is told later.
 */
export function createRemote(deps: RemoteDeps, options: PresenceTrackerOptions) {
  const { redis, own, emit, warn, now } = deps;
  const { leaseMs, heartbeatMs, reapMs } = parseOptions(options);
  const monotonic = options.clock ?? (() => performance.now());
  const store = createRedisPresence(deps, options);
  const outbox = createOutbox(store);
  const late = createLateChanges();
  const watched = new Map<string, number>();
  let wasAvailable = redis.available;
  let reapFromMs = -Infinity;
  let reaping = false;

  /** Announces, and says what was decided. */
  function decide(channelId: string, record: PresenceRecord | null, degraded: boolean): Decision {
    if (record) emit({ channelId, record }, degraded);
    return { record, degraded };
  }

  const adopt = ({ channelId, record }: PresenceChange) =>
    void own.update(channelId, record.agentId, stateOf(record), now());

  function join(entry: JoinEntry, local: JoinOutcome, isLate = false): Promise<Decision> {
    const { channelId } = entry;
    late.forget(entry);
    return new Promise((resolve) => {
      outbox.put({
        kind: 'join',
        entry,
        done(outcome) {
          if (outcome instanceof PresenceError) {
            if (own.has(channelId, entry.lease)) late.join(entry);
            const record = !isLate && local.changed ? local.record : null;
            return resolve(decide(channelId, record, true));
          }
          adopt({ channelId, record: outcome.record });
          // A script that Redis did not know yet runs after later calls, so this may have passed its own leave.
          if (!own.has(channelId, entry.lease)) void leave(entry, null);
          const isNews = isLate || outcome.changed;
          resolve(decide(channelId, isNews ? outcome.record : null, false));
        },
      });
    });
  }

  function leave(entry: LeaveEntry, local: PresenceRecord | null): Promise<Decision> {
    const { channelId } = entry;
    late.forget(entry);
    return new Promise((resolve) => {
      outbox.put({
        kind: 'leave',
        entry,
        done(outcome) {
          const failed = outcome instanceof PresenceError;
          if (failed && !own.has(channelId, entry.lease)) late.leave(entry);
          resolve(decide(channelId, failed ? local : outcome, failed));
        },
      });
    });
  }

  function set(
    entry: UpdateEntry,
    local: PresenceRecord | null,
    isLate = false,
  ): Promise<Decision> {
    const { channelId, agentId, state } = entry;
    late.forgetSet(entry);
    return new Promise((resolve) => {
      outbox.put({
        kind: 'set',
        entry,
        done(outcome) {
          // What was heard from Redis while this was under way is older than this.
          own.update(channelId, agentId, state, now());
          const failed = outcome instanceof PresenceError;
          if (failed) late.set(entry);
          else late.forgetSet(entry);
          const failedAgain = failed && isLate;
          const record = failed || isLate ? local : outcome;
          resolve(decide(channelId, failedAgain ? null : record, failed));
        },
      });
    });
  }

  /** Tells Redis what it missed. It is announced again: whoever shares the Redis but not this process missed it too. */
  function settle(): void {
    const { joins, sets, leaves } = late.take();
    for (const entry of joins) {
      const record = own.get(entry.channelId, entry.lease.agentId, now());
      if (record) void join(entry, { record, changed: true }, true);
    }
    for (const entry of sets) {
      const record = own.get(entry.channelId, entry.agentId, now());
      if (record) void set(entry, { ...record, ...entry.state }, true);
    }
    for (const entry of leaves) void leave(entry, null);
  }

  async function renew(entries: readonly RenewEntry[], overdue: boolean): Promise<boolean> {
    if (!redis.available) return false;
    try {
      for (const { gone, ...change } of await store.renew(entries)) {
        adopt(change);
        // Within the lease only a wipe can have taken it, which nobody was told of.
        if (gone && overdue) emit(change, false);
      }
    } catch (error) {
      warn({ err: error }, 'presence could not be renewed');
      return false;
    }
    for (const entry of entries) {
      if (!own.has(entry.channelId, entry.lease)) void leave(entry, null);
    }
    return true;
  }

  const heartbeat = createHeartbeat(
    {
      entries() {
        if (redis.available && late.size > 0) settle();
        return own.entries();
      },
      get size() {
        return own.size;
      },
      renew,
      monotonic,
    },
    { leaseMs, heartbeatMs },
  );

  async function reap(): Promise<void> {
    if (reaping || !redis.available || monotonic() < reapFromMs) return;
    if (heartbeat.overdue) {
      reapFromMs = monotonic() + leaseMs;
      return;
    }
    reaping = true;
    try {
      const channelIds = new Set([...own.channelIds(), ...watched.keys()]);
      for (const change of await store.reap([...channelIds])) emit(change, false);
    } catch (error) {
      warn({ err: error }, 'presence could not be reaped');
    } finally {
      reaping = false;
    }
  }
  const reaper = setInterval(() => void reap(), reapMs);
  reaper.unref();

  const offAvailability = redis.onAvailability((available) => {
    if (!available) return;
    // Whoever was away with Redis has this long to write its connections again. At the first connection nobody was.
    if (wasAvailable) reapFromMs = monotonic() + leaseMs;
    wasAvailable = true;
    heartbeat.now();
  });

  /** Asks Redis, or answers from this process' own connections. */
  async function read<T>(ask: () => Promise<T>, answer: () => T): Promise<[T, boolean]> {
    if (redis.available) {
      try {
        return [await ask(), false];
      } catch (error) {
        if (!(error instanceof PresenceError && error.code === 'unavailable')) throw error;
      }
    }
    return [answer(), true];
  }

  return {
    store,
    join,
    leave,
    set,
    read,
    waiting: () => outbox.waiting,
    late: () => late.size,
    watch(channelId: string): () => void {
      watched.set(channelId, (watched.get(channelId) ?? 0) + 1);
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        const left = (watched.get(channelId) ?? 1) - 1;
        if (left > 0) watched.set(channelId, left);
        else watched.delete(channelId);
      };
    },
    /** Stops the timers; leases can still be ended. */
    stop() {
      offAvailability();
      heartbeat.close();
      clearInterval(reaper);
    },
  };
}

/** What {@link createRemote} makes. */
export type Remote = ReturnType<typeof createRemote>;
