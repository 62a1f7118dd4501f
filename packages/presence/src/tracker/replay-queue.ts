import type { JoinEntry, LeaveEntry, Lease, UpdateEntry } from '../lease-store/lease-store.ts';

/** The most leaves that are remembered; a further lease ends by expiry. */
const leavesMax = 100_000;

/** Identifies a lease of this process. */
export const leaseKeyOf = (channelId: string, { agentId, sessionId }: Omit<Lease, 'hubId'>) =>
  `${channelId}:${agentId}:${sessionId}`;

const stateKeyOf = ({ channelId, agentId }: Pick<UpdateEntry, 'channelId' | 'agentId'>) =>
  `${channelId}:${agentId}`;

/** The changes that Redis missed while it was away: the latest for each lease and each state. */
export function createReplayQueue() {
  const joins = new Map<string, JoinEntry>();
  const sets = new Map<string, UpdateEntry>();
  const leaves = new Map<string, LeaveEntry>();

  return {
    get size() {
      return joins.size + sets.size + leaves.size;
    },
    addJoin(entry: JoinEntry): void {
      const leaseKey = leaseKeyOf(entry.channelId, entry.lease);
      leaves.delete(leaseKey);
      joins.set(leaseKey, entry);
    },
    addSet(entry: UpdateEntry): void {
      sets.set(stateKeyOf(entry), entry);
    },
    addLeave(entry: LeaveEntry): void {
      const leaseKey = leaseKeyOf(entry.channelId, entry.lease);
      joins.delete(leaseKey);
      if (leaves.size < leavesMax) leaves.set(leaseKey, entry);
    },
    /** A later state of this agent is being sent, or was accepted. */
    dropSet(entry: Pick<UpdateEntry, 'channelId' | 'agentId'>): void {
      sets.delete(stateKeyOf(entry));
    },
    /** A later change of this lease is being sent. Returns true if a join was dropped: Redis never got that lease. */
    dropLease({ channelId, lease }: LeaveEntry): boolean {
      const leaseKey = leaseKeyOf(channelId, lease);
      leaves.delete(leaseKey);
      return joins.delete(leaseKey);
    },
    /** Empties the queue. */
    takeAll() {
      const taken = {
        joins: [...joins.values()],
        sets: [...sets.values()],
        leaves: [...leaves.values()],
      };
      joins.clear();
      sets.clear();
      leaves.clear();
      return taken;
    },
  };
}
