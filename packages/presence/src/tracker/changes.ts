import { PresenceError } from '../errors.ts';
import type {
  JoinEntry,
  JoinOutcome,
  LeaseStore,
  LeaveEntry,
  PresenceChange,
  UpdateEntry,
} from '../lease-store/lease-store.ts';
import type { LocalLeases } from '../lease-store/memory-lease-store.ts';
import { stateOf, type PresenceRecord } from '../state.ts';
import { createChangeQueue, leaseKeyOf } from './change-queue.ts';
import type { PendingOffline } from './pending-offline.ts';

/** At most this many missed leaves are sent later. The leases of further leaves end by expiry. */
const missedLeavesMax = 100_000;

export interface Decision {
  readonly record: PresenceRecord | null;
  readonly degraded: boolean;
}

export interface ChangesDeps {
  readonly store: LeaseStore;
  /** The caller changes these leases before it calls a method. */
  readonly localLeases: LocalLeases;
  readonly isAvailable: () => boolean;
  /** True while Redis denies writes. This process' leases in Redis may then have expired. */
  readonly isDenied: () => boolean;
  /** False while Redis was never reachable: no other process shares presence yet. */
  readonly wasAvailable: () => boolean;
  readonly onFailure: (error: unknown) => void;
  readonly emit: (change: PresenceChange, degraded: boolean) => void;
  readonly warn: (details: object, message: string) => void;
  readonly now: () => number;
  readonly pendingOffline: Pick<PendingOffline, 'add' | 'cancel'>;
}

/**
 * Redis decides whether a change is announced. While Redis is away, this process' own connections decide, and the
 * change is replayed later. Offline records then wait ({@link createPendingOffline}). `join`, `leave` and `set` get as
 * `local` what the change did to this process' connections.
 */
export function createChanges(deps: ChangesDeps) {
  const { store, localLeases, emit, warn, now, pendingOffline } = deps;
  const queue = createChangeQueue(store);
  /** Changes that Redis missed: the latest of each lease and each state. */
  const missed = {
    joins: new Map<string, JoinEntry>(),
    sets: new Map<string, UpdateEntry>(),
    leaves: new Map<string, LeaveEntry>(),
  };
  const countMissed = () => missed.joins.size + missed.sets.size + missed.leaves.size;
  const agentKeyOf = (channelId: string, agentId: string) => `${channelId}:${agentId}`;
  const joining = new Map<string, number>();

  function decide(channelId: string, record: PresenceRecord | null, degraded: boolean): Decision {
    if (record) emit({ channelId, record }, degraded);
    return { record, degraded };
  }

  function isFailure(outcome: unknown): outcome is PresenceError {
    if (!(outcome instanceof PresenceError)) return false;
    deps.onFailure(outcome);
    if (deps.isAvailable()) warn({ err: outcome }, 'Redis did not accept a change of presence');
    return true;
  }

  const adoptState = ({ channelId, record }: PresenceChange) =>
    void localLeases.update({ channelId, agentId: record.agentId, state: stateOf(record) }, now());

  async function join(entry: JoinEntry, local: JoinOutcome, isReplay = false): Promise<Decision> {
    const { channelId, lease } = entry;
    const leaseKey = leaseKeyOf(entry);
    missed.leaves.delete(leaseKey);
    missed.joins.delete(leaseKey);
    pendingOffline.cancel(channelId, lease.agentId);
    joining.set(leaseKey, (joining.get(leaseKey) ?? 0) + 1);
    const outcome = await queue.join(entry);
    const others = (joining.get(leaseKey) ?? 1) - 1;
    if (others > 0) joining.set(leaseKey, others);
    else joining.delete(leaseKey);
    if (isFailure(outcome)) {
      if (localLeases.has(entry)) {
        missed.leaves.delete(leaseKey);
        missed.joins.set(leaseKey, entry);
      }
      return decide(channelId, !isReplay && local.changed ? local.record : null, true);
    }
    adoptState({ channelId, record: outcome.record });
    // A call whose script Redis did not know is sent again. So this join may have run after the lease's own leave.
    if (!localLeases.has(entry)) void leave(entry, null, true);
    return decide(channelId, isReplay || outcome.changed ? outcome.record : null, false);
  }

  /** The offline record of a replayed leave waits, because another process may not have restored its lease yet. */
  async function leave(
    entry: LeaveEntry,
    local: PresenceRecord | null,
    isReplay = false,
  ): Promise<Decision> {
    const { channelId, lease } = entry;
    const leaseKey = leaseKeyOf(entry);
    missed.leaves.delete(leaseKey);
    const mayBeInRedis = !missed.joins.delete(leaseKey);
    if (!localLeases.get(channelId, lease.agentId, now())) {
      missed.sets.delete(agentKeyOf(channelId, lease.agentId));
    }
    const outcome = await queue.leave(entry);
    if (!isFailure(outcome)) {
      if (isReplay && outcome) pendingOffline.add({ channelId, record: outcome });
      // While Redis denies writes, no lease is renewed. So the agent's last lease may have expired unannounced.
      if (!outcome && local && deps.isDenied()) pendingOffline.add({ channelId, record: local });
      return decide(channelId, isReplay ? null : outcome, false);
    }
    // After a failed join, the leave is not remembered. If Redis accepted that join, the lease ends by expiry.
    if (mayBeInRedis && !localLeases.has(entry)) {
      missed.joins.delete(leaseKey);
      if (missed.leaves.size < missedLeavesMax) missed.leaves.set(leaseKey, entry);
    }
    if (!deps.wasAvailable()) return decide(channelId, local, true);
    if (local) pendingOffline.add({ channelId, record: local });
    return decide(channelId, null, true);
  }

  async function set(
    entry: UpdateEntry,
    local: PresenceRecord | null,
    isReplay = false,
  ): Promise<Decision> {
    const { channelId, agentId } = entry;
    const agentKey = agentKeyOf(channelId, agentId);
    missed.sets.delete(agentKey);
    const outcome = await queue.set(entry);
    // A state that was adopted during the call is older than this one.
    localLeases.update(entry, now());
    if (isFailure(outcome)) {
      missed.sets.set(agentKey, entry);
      return decide(channelId, isReplay ? null : local, true);
    }
    missed.sets.delete(agentKey);
    return decide(channelId, isReplay ? local : outcome, false);
  }

  /**
   * Sends the missed changes, and resolves when all are answered. Joins and states are announced again, because other
   * processes missed them. The offline records of leaves become pending offlines, for the reason given at `leave`.
   */
  async function replay(): Promise<void> {
    if (countMissed() === 0) return;
    const joins = [...missed.joins.values()];
    const sets = [...missed.sets.values()];
    const leaves = [...missed.leaves.values()];
    for (const entries of Object.values(missed)) entries.clear();
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
    /** True until Redis has answered the lease's join. Before that, the lease must not be renewed. */
    isJoining: (entry: LeaveEntry) => joining.size > 0 && joining.has(leaseKeyOf(entry)),
    unsent: () => queue.size,
    toReplay: countMissed,
  };
}

export type Changes = ReturnType<typeof createChanges>;
