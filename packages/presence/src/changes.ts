import { PresenceError } from './errors.ts';
import type { HeldOfflines } from './held-offlines.ts';
import { createLateChanges, nameOf } from './late.ts';
import { createOutbox } from './outbox.ts';
import type {
  JoinEntry,
  JoinOutcome,
  LeaveEntry,
  LeaseStore,
  PresenceChange,
  UpdateEntry,
} from './presence.ts';
import type { Roster } from './roster.ts';
import { stateOf, type PresenceRecord } from './state.ts';
import type { Decision } from './tracker.ts';

/** What {@link createChanges} works with. */
export interface ChangesDeps {
  readonly store: LeaseStore;
  /** This process' own connections, which the caller has already changed when it calls here. */
  readonly own: Roster;
  readonly isAvailable: () => boolean;
  /** True while Redis denies presence its writes, so that this process' leases there may have expired. */
  readonly isDenied: () => boolean;
  /** Called when Redis did not take a change. */
  readonly onFailure: (error: PresenceError) => void;
  /** Redis was never there, so no other process shares it. */
  readonly isAlone: () => boolean;
  readonly emit: (change: PresenceChange, degraded: boolean) => void;
  readonly warn: (details: object, message: string) => void;
  readonly now: () => number;
  readonly held: Pick<HeldOfflines, 'hold' | 'drop'>;
}

/**
 * Lets Redis decide what a change comes to. While it is away, what the process' own connections make of it stands, but for
 * an end, which waits (see createHeldOfflines), and Redis is told later.
 */
export function createChanges(deps: ChangesDeps) {
  const { store, own, isAvailable, isDenied, isAlone, onFailure, emit, warn, now, held } = deps;
  const outbox = createOutbox(store);
  const late = createLateChanges();
  /** Leases whose joins are not answered yet, and how many of them. */
  const joining = new Map<string, number>();

  /** Announces, and says what was decided. */
  function decide(channelId: string, record: PresenceRecord | null, degraded: boolean): Decision {
    if (record) emit({ channelId, record }, degraded);
    return { record, degraded };
  }

  /** What fails although Redis is there is a fault that someone should hear of. */
  function failed(outcome: unknown): outcome is PresenceError {
    if (!(outcome instanceof PresenceError)) return false;
    onFailure(outcome);
    if (isAvailable()) warn({ err: outcome }, 'a change of presence was not taken by Redis');
    return true;
  }

  /** Takes over what Redis says of an agent of this process. */
  const adopt = ({ channelId, record }: PresenceChange) =>
    void own.update(channelId, record.agentId, stateOf(record), now());

  function join(entry: JoinEntry, local: JoinOutcome, isLate = false): Promise<Decision> {
    const { channelId } = entry;
    const name = nameOf(channelId, entry.lease);
    late.forget(entry);
    held.drop(channelId, entry.lease.agentId);
    joining.set(name, (joining.get(name) ?? 0) + 1);
    return new Promise((resolve) => {
      outbox.put({
        kind: 'join',
        entry,
        done(outcome) {
          const others = (joining.get(name) ?? 1) - 1;
          if (others > 0) joining.set(name, others);
          else joining.delete(name);
          if (failed(outcome)) {
            if (own.has(channelId, entry.lease)) late.join(entry);
            const record = !isLate && local.changed ? local.record : null;
            return resolve(decide(channelId, record, true));
          }
          adopt({ channelId, record: outcome.record });
          // A script that Redis did not know yet runs after later calls, so this may have passed its own leave.
          if (!own.has(channelId, entry.lease)) void leave(entry, null, true);
          const isNews = isLate || outcome.changed;
          resolve(decide(channelId, isNews ? outcome.record : null, false));
        },
      });
    });
  }

  /** A late one is of another time: what Redis makes of it may be outdated by a process that is not back yet. */
  function leave(
    entry: LeaveEntry,
    local: PresenceRecord | null,
    isLate = false,
  ): Promise<Decision> {
    const { channelId, lease } = entry;
    const wasTold = !late.forget(entry);
    if (!own.get(channelId, lease.agentId, now())) {
      late.forgetSet({ channelId, agentId: lease.agentId });
    }
    return new Promise((resolve) => {
      outbox.put({
        kind: 'leave',
        entry,
        done(outcome) {
          if (!failed(outcome)) {
            if (isLate && outcome) held.hold({ channelId, record: outcome });
            // Its last lease may have ended there unseen, as nothing was renewed.
            else if (!outcome && local && isDenied()) held.hold({ channelId, record: local });
            return resolve(decide(channelId, isLate ? null : outcome, false));
          }
          // A lease that Redis may know after all, from a join that timed out, ends there by expiry.
          if (wasTold && !own.has(channelId, lease)) late.leave(entry);
          if (isAlone()) return resolve(decide(channelId, local, true));
          // Another process may have the agent too, which cannot be known now.
          if (local) held.hold({ channelId, record: local });
          resolve(decide(channelId, null, true));
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
          if (failed(outcome)) {
            late.set(entry);
            return resolve(decide(channelId, isLate ? null : local, true));
          }
          late.forgetSet(entry);
          resolve(decide(channelId, isLate ? local : outcome, false));
        },
      });
    });
  }

  /**
   * Tells Redis what it missed; resolves when that is answered. It is announced again: whoever shares the Redis but not
   * this process missed it too. Only who left is not announced at once.
   */
  async function settle(): Promise<void> {
    if (late.size === 0) return;
    const { joins, sets, leaves } = late.take();
    const answers: Promise<Decision>[] = [];
    for (const entry of joins) {
      const record = own.get(entry.channelId, entry.lease.agentId, now());
      if (record) answers.push(join(entry, { record, changed: true }, true));
    }
    for (const entry of sets) {
      const record = own.get(entry.channelId, entry.agentId, now());
      if (record) answers.push(set(entry, { ...record, ...entry.state }, true));
    }
    for (const entry of leaves) answers.push(leave(entry, null, true));
    await Promise.all(answers);
  }

  return {
    join,
    leave,
    set,
    settle,
    adopt,
    /** Whether a join of this lease is on its way, which has to be the first that Redis hears of it. */
    isJoining: ({ channelId, lease }: LeaveEntry) =>
      joining.size > 0 && joining.has(nameOf(channelId, lease)),
    waiting: () => outbox.waiting,
    late: () => late.size,
  };
}
