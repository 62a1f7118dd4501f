import type { JoinEntry, LeaveEntry, Lease, UpdateEntry } from './presence.ts';

/** The most leases whose end is remembered; one that is forgotten ends by expiry. */
const leavesMax = 100_000;

/** Names a lease of this process. */
export const nameOf = (channelId: string, { agentId, sessionId }: Omit<Lease, 'hubId'>) =>
  `${channelId}:${agentId}:${sessionId}`;

/** What Redis has yet to be told, because it was away: the last word on each lease and each state. */
export function createLateChanges() {
  const joins = new Map<string, JoinEntry>();
  const sets = new Map<string, UpdateEntry>();
  const leaves = new Map<string, LeaveEntry>();

  return {
    get size() {
      return joins.size + sets.size + leaves.size;
    },
    join(entry: JoinEntry): void {
      const name = nameOf(entry.channelId, entry.lease);
      leaves.delete(name);
      joins.set(name, entry);
    },
    set(entry: UpdateEntry): void {
      sets.set(`${entry.channelId}:${entry.agentId}`, entry);
    },
    /** A later state of this agent is on its way, or was taken. */
    forgetSet({ channelId, agentId }: Pick<UpdateEntry, 'channelId' | 'agentId'>): void {
      sets.delete(`${channelId}:${agentId}`);
    },
    leave(entry: LeaveEntry): void {
      const name = nameOf(entry.channelId, entry.lease);
      joins.delete(name);
      if (leaves.size < leavesMax) leaves.set(name, entry);
    },
    /**
     * A later call about this lease is on its way: what is remembered of it no longer holds. Returns whether that was a
     * join, of which Redis then knows nothing.
     */
    forget({ channelId, lease }: LeaveEntry): boolean {
      const name = nameOf(channelId, lease);
      leaves.delete(name);
      return joins.delete(name);
    },
    /** Gives everything away. */
    take() {
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
