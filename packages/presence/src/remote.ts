import type { KeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import { createChanges, type ChangesDeps } from './changes.ts';
import { isDeniedCall, PresenceError } from './errors.ts';
import { createHeartbeat } from './heartbeat.ts';
import { createHeldOfflines } from './held-offlines.ts';
import { parseOptions, type PresenceTrackerOptions } from './options.ts';
import type { RenewEntry } from './presence.ts';
import { createRedisLeaseStore } from './redis-presence.ts';
import { createWipeWatch } from './wipe-watch.ts';

/** How long the others may take to come back after an outage before a late leave makes an agent offline. */
const holdMaxMs = 5_000;

/** What the Redis side of a tracker works with. */
export interface RemoteDeps extends Omit<
  ChangesDeps,
  'store' | 'isAvailable' | 'isDenied' | 'onFailure' | 'isAlone' | 'held'
> {
  readonly redis: RedisClient;
  readonly keys: KeySchema;
  /** Redis went away or came back, or began or ceased to deny presence its calls. */
  readonly onDegraded: (degraded: boolean) => void;
  /** Redis was found to have lost leases under an intact connection. They are being written again. */
  readonly onWiped: () => void;
}

/** The Redis side of a tracker: changes, heartbeats, reaping and reading, and what an outage means for each. */
export function createRemote(deps: RemoteDeps, options: PresenceTrackerOptions) {
  const { redis, own, emit, warn } = deps;
  const { leaseMs, heartbeatMs, reapMs } = parseOptions(options);
  const monotonic = options.clock ?? (() => performance.now());
  const store = createRedisLeaseStore(deps, options);
  const held = createHeldOfflines(
    {
      async isHeld(channelId, agentId) {
        // The leases of others may have ended there as unrenewed as those of this process.
        if (isDegraded()) throw new PresenceError('unavailable', 'Redis takes no writes');
        return (await store.get(channelId, agentId)) !== null;
      },
      announce: emit,
      monotonic,
    },
    { holdMs: Math.min(holdMaxMs, Math.floor(leaseMs / 3)), aloneMs: leaseMs },
  );
  const changes = createChanges({
    ...{ ...deps, store, held },
    isAvailable: () => redis.available,
    isDenied: () => deniedMs !== null,
    onFailure: noticeDenial,
    isAlone: () => !wasAvailable,
  });
  const wipeWatch = createWipeWatch({
    ...{ redis, keys: deps.keys, channelIds: own.channelIds },
    leasesOf: own.entriesOf,
    isOwed: (entry) => own.has(entry.channelId, entry.lease) && !changes.isJoining(entry),
  });
  const watched = new Map<string, number>();
  let wasAvailable = redis.available;
  let reapFromMs = -Infinity;
  let reaping = false;
  let looking = false;
  let settling = Promise.resolve();
  /** When Redis last denied a call of presence; null when everything was renewed since. */
  let deniedMs: number | null = null;
  let wasDegraded = !redis.available;

  const isDegraded = () => !redis.available || deniedMs !== null;

  function tellDegraded(): void {
    if (isDegraded() === wasDegraded) return;
    wasDegraded = !wasDegraded;
    // Hubs that could not write have this long to write their connections again. At the first connection none was away.
    if (!wasDegraded && wasAvailable) reapFromMs = monotonic() + leaseMs;
    deps.onDegraded(wasDegraded);
  }

  /** Reads from a Redis that takes no writes lack what could not be written: it counts as away. */
  function noticeDenial(error: unknown): void {
    if (!isDeniedCall(error)) return;
    deniedMs = monotonic();
    tellDegraded();
  }

  async function renew(entries: readonly RenewEntry[], overdue: boolean): Promise<boolean> {
    await settling;
    if (!redis.available) return false;
    // A lease that is renewed before its join was answered would seem to the join to be no news.
    const known = entries.filter((entry) => !changes.isJoining(entry));
    let lost = 0;
    try {
      const findings = await store.renew(known);
      lost = findings.filter(({ gone, stateGone }) => gone && stateGone).length;
      for (const { gone, channelId, record } of findings) {
        const change = { channelId, record };
        changes.adopt(change);
        // Within the lease only a wipe can have taken it, which nobody was told of.
        if (gone && overdue) emit(change, false);
      }
    } catch (error) {
      noticeDenial(error);
      warn({ err: error }, 'presence could not be renewed');
      return false;
    }
    // The heartbeat came before the look for a wipe, and has mended what that would have missed.
    if (lost > 0 && lost === known.length && !overdue && !heartbeat.isHasty) deps.onWiped();
    for (const entry of known) {
      if (!own.has(entry.channelId, entry.lease)) void changes.leave(entry, null, true);
    }
    return true;
  }

  const heartbeat = createHeartbeat(
    {
      entries() {
        if (redis.available) settling = changes.settle();
        return own.entries();
      },
      get size() {
        return own.size;
      },
      renew,
      monotonic,
      onWhole(startedMs) {
        if (deniedMs === null || deniedMs >= startedMs) return;
        deniedMs = null;
        held.wait();
        tellDegraded();
      },
    },
    { leaseMs, heartbeatMs },
  );

  async function reap(): Promise<void> {
    if (reaping || isDegraded() || monotonic() < reapFromMs) return;
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

  async function mendWipe(): Promise<void> {
    if (looking || heartbeat.isHasty) return;
    looking = true;
    try {
      if (!(await wipeWatch.look()) || heartbeat.isHasty) return;
      const isWipe = await wipeWatch.isWipe();
      if (heartbeat.isHasty) return;
      heartbeat.now();
      if (isWipe) deps.onWiped();
    } catch (error) {
      warn({ err: error }, 'nobody could look whether Redis still has the rosters');
    } finally {
      looking = false;
    }
  }

  const reaper = setInterval(() => {
    void reap();
    void held.look();
    if (!isDegraded()) void mendWipe();
  }, reapMs);
  reaper.unref();

  const offAvailability = redis.onAvailability((available) => {
    tellDegraded();
    if (!available) return;
    wasAvailable = true;
    held.wait();
    heartbeat.now();
  });

  /** Asks Redis, or answers from this process' own connections. */
  async function read<T>(ask: () => Promise<T>, answer: () => T): Promise<[T, boolean]> {
    if ((redis.available || redis.connecting) && deniedMs === null) {
      try {
        return [await ask(), false];
      } catch (error) {
        noticeDenial(error);
        if (!(error instanceof PresenceError && error.code === 'unavailable')) throw error;
      }
    }
    return [answer(), true];
  }

  return {
    ...changes,
    store,
    read,
    isDegraded,
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
    /** To be called last: what is held is told, or nobody would. */
    async close() {
      await held.close();
      await store.close();
    },
  };
}

/** What {@link createRemote} makes. */
export type Remote = ReturnType<typeof createRemote>;
