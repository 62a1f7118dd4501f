import { PresenceError } from '../errors.ts';
import type {
  JoinEntry,
  JoinOutcome,
  LeaseStore,
  LeaveEntry,
  PresenceChange,
  UpdateEntry,
} from '../lease-store/lease-store.ts';
import type { LocalLeases } from '../lease-store/local-leases.ts';
import { stateOf, type PresenceRecord } from '../state.ts';
import { createChangeQueue } from './change-queue.ts';
import type { PendingOffline } from './pending-offline.ts';
import { createReplayQueue, leaseKeyOf } from './replay-queue.ts';
import type { Decision } from './tracker.ts';

export interface ChangesDeps {
  readonly store: LeaseStore;
  /** This process' own connections. The caller changes them before it calls here. */
  readonly localLeases: LocalLeases;
  readonly isAvailable: () => boolean;
  /** True while Redis denies presence its writes: this process' leases there may have expired. */
  readonly isDenied: () => boolean;
  /** False while Redis was never reachable: then no other process shares it. */
  readonly wasAvailable: () => boolean;
  /** Called when Redis did not accept a change. */
  readonly onFailure: (error: PresenceError) => void;
  readonly emit: (change: PresenceChange, degraded: boolean) => void;
  readonly warn: (details: object, message: string) => void;
  readonly now: () => number;
  readonly pendingOffline: Pick<PendingOffline, 'add' | 'cancel'>;
}

/**
 * Sends changes to Redis, which decides what is news. While Redis is away, this process' own connections decide, except
 * that an offline record waits (see {@link createPendingOffline}), and the change is replayed later. `local` is what a
 * change was to the own connections.
 */
export function createChanges(deps: ChangesDeps) {
  const { store, localLeases, emit, warn, now, pendingOffline } = deps;
  const queue = createChangeQueue(store);
  const replayQueue = createReplayQueue();
  /** Leases whose joins were not answered yet, with the number of those joins. */
  const joining = new Map<string, number>();

  function decide(channelId: string, record: PresenceRecord | null, degraded: boolean): Decision {
    if (record) emit({ channelId, record }, degraded);
    return { record, degraded };
  }

  function isFailure(outcome: unknown): outcome is PresenceError {
    if (!(outcome instanceof PresenceError)) return false;
    deps.onFailure(outcome);
    // Without Redis a failure is expected.
    if (deps.isAvailable()) warn({ err: outcome }, 'Redis did not accept a change of presence');
    return true;
  }

  /** Takes over the state that Redis has for an agent of this process. */
  const adoptState = ({ channelId, record }: PresenceChange) =>
    void localLeases.update(channelId, record.agentId, stateOf(record), now());

  function join(entry: JoinEntry, local: JoinOutcome, isReplay = false): Promise<Decision> {
    const { channelId, lease } = entry;
    const leaseKey = leaseKeyOf(channelId, lease);
    replayQueue.dropLease(entry);
    pendingOffline.cancel(channelId, lease.agentId);
    joining.set(leaseKey, (joining.get(leaseKey) ?? 0) + 1);
    return new Promise((resolve) => {
      queue.add({
        kind: 'join',
        entry,
        done(outcome) {
          const others = (joining.get(leaseKey) ?? 1) - 1;
          if (others > 0) joining.set(leaseKey, others);
          else joining.delete(leaseKey);
          if (isFailure(outcome)) {
            if (localLeases.has(channelId, lease)) replayQueue.addJoin(entry);
            const record = !isReplay && local.changed ? local.record : null;
            return resolve(decide(channelId, record, true));
          }
          adoptState({ channelId, record: outcome.record });
          // A script that Redis did not know yet runs after later calls: this join may have run after its own leave.
          if (!localLeases.has(channelId, lease)) void leave(entry, null, true);
          const isNews = isReplay || outcome.changed;
          resolve(decide(channelId, isNews ? outcome.record : null, false));
        },
      });
    });
  }

  /** A replayed leave may be wrong about the agent, which another process may still have to write again. */
  function leave(
    entry: LeaveEntry,
    local: PresenceRecord | null,
    isReplay = false,
  ): Promise<Decision> {
    const { channelId, lease } = entry;
    const mayBeInRedis = !replayQueue.dropLease(entry);
    if (!localLeases.get(channelId, lease.agentId, now())) {
      replayQueue.dropSet({ channelId, agentId: lease.agentId });
    }
    return new Promise((resolve) => {
      queue.add({
        kind: 'leave',
        entry,
        done(outcome) {
          if (!isFailure(outcome)) {
            if (isReplay && outcome) pendingOffline.add({ channelId, record: outcome });
            // Nothing was renewed, so the last lease may have expired there unnoticed.
            else if (!outcome && local && deps.isDenied())
              pendingOffline.add({ channelId, record: local });
            return resolve(decide(channelId, isReplay ? null : outcome, false));
          }
          // If Redis took the lease with a join that timed out, the lease ends there by expiry.
          if (mayBeInRedis && !localLeases.has(channelId, lease)) replayQueue.addLeave(entry);
          if (!deps.wasAvailable()) return resolve(decide(channelId, local, true));
          if (local) pendingOffline.add({ channelId, record: local });
          resolve(decide(channelId, null, true));
        },
      });
    });
  }

  function set(
    entry: UpdateEntry,
    local: PresenceRecord | null,
    isReplay = false,
  ): Promise<Decision> {
    const { channelId, agentId, state } = entry;
    replayQueue.dropSet(entry);
    return new Promise((resolve) => {
      queue.add({
        kind: 'set',
        entry,
        done(outcome) {
          // A state that was adopted from Redis meanwhile is older.
          localLeases.update(channelId, agentId, state, now());
          if (isFailure(outcome)) {
            replayQueue.addSet(entry);
            return resolve(decide(channelId, isReplay ? null : local, true));
          }
          replayQueue.dropSet(entry);
          resolve(decide(channelId, isReplay ? local : outcome, false));
        },
      });
    });
  }

  /**
   * Sends the changes that Redis missed; resolves when they are answered. Joins and states are announced again, because
   * the other processes missed the first announcement; leaves wait.
   */
  async function replay(): Promise<void> {
    if (replayQueue.size === 0) return;
    const { joins, sets, leaves } = replayQueue.takeAll();
    const answers: Promise<Decision>[] = [];
    for (const entry of joins) {
      const record = localLeases.get(entry.channelId, entry.lease.agentId, now());
      if (record) answers.push(join(entry, { record, changed: true }, true));
    }
    for (const entry of sets) {
      const record = localLeases.get(entry.channelId, entry.agentId, now());
      if (record) answers.push(set(entry, { ...record, ...entry.state }, true));
    }
    for (const entry of leaves) answers.push(leave(entry, null, true));
    await Promise.all(answers);
  }

  return {
    join,
    leave,
    set,
    replay,
    adoptState,
    /** True until a join of this lease is answered. Redis must get the join before anything else about the lease. */
    isJoining: ({ channelId, lease }: LeaveEntry) =>
      joining.size > 0 && joining.has(leaseKeyOf(channelId, lease)),
    unsent: () => queue.size,
    toReplay: () => replayQueue.size,
  };
}

export type Changes = ReturnType<typeof createChanges>;
