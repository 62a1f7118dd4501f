import { PresenceError } from '../errors.ts';
import {
  defaultState,
  isSameState,
  parseState,
  type PresenceRecord,
  type PresenceState,
} from '../state.ts';
import type {
  JoinEntry,
  JoinOutcome,
  Lease,
  LeaveEntry,
  RenewEntry,
  RenewFinding,
  UpdateEntry,
} from './lease-store.ts';

/** One agent in one channel. */
interface AgentPresence {
  state: PresenceState;
  lastSeenMs: number;
  /** `hubId:sessionId` → end of the lease. */
  readonly leases: Map<string, number>;
}

interface ChannelLeases {
  readonly agents: Map<string, AgentPresence>;
  /** Sorted agentIds, made by the first list after a change. */
  sortedIds: readonly string[] | null;
}

const connectionKeyOf = ({ hubId, sessionId }: Lease) => `${hubId}:${sessionId}`;

/**
 * The leases that one process knows: the memory store's data, and a tracker's own connections. Has no clock and no
 * timers; the caller checks the ids.
 */
export function createLocalLeases(maxLeases: number) {
  const channels = new Map<string, ChannelLeases>();
  let size = 0;

  const find = (channelId: string, agentId: string) => channels.get(channelId)?.agents.get(agentId);

  const isPresent = (agent: AgentPresence, afterMs: number) => {
    for (const endsAtMs of agent.leases.values()) if (endsAtMs > afterMs) return true;
    return false;
  };

  const recordOf = (agentId: string, { state, lastSeenMs }: AgentPresence): PresenceRecord => ({
    agentId,
    ...state,
    lastSeen: lastSeenMs,
  });

  const remove = (channelId: string, agentId: string, agent: AgentPresence): PresenceRecord => {
    const channel = channels.get(channelId);
    channel?.agents.delete(agentId);
    if (channel) channel.sortedIds = null;
    if (channel?.agents.size === 0) channels.delete(channelId);
    size -= agent.leases.size;
    return { ...recordOf(agentId, agent), status: 'offline' };
  };

  const take = (
    channelId: string,
    lease: Lease,
    endsAtMs: number,
    state: PresenceState,
  ): AgentPresence => {
    const connectionKey = connectionKeyOf(lease);
    let agent = find(channelId, lease.agentId);
    if (!agent?.leases.has(connectionKey)) {
      if (size >= maxLeases) {
        throw new PresenceError('full', `the limit of ${maxLeases} leases is reached`);
      }
      size += 1;
    }
    if (!agent) {
      let channel = channels.get(channelId);
      if (!channel) channels.set(channelId, (channel = { agents: new Map(), sortedIds: null }));
      agent = { state, lastSeenMs: 0, leases: new Map() };
      channel.agents.set(lease.agentId, agent);
      channel.sortedIds = null;
    }
    agent.leases.set(connectionKey, endsAtMs);
    return agent;
  };

  function* entriesOf(channelId: string): Generator<RenewEntry> {
    for (const [agentId, { state, leases }] of channels.get(channelId)?.agents ?? []) {
      for (const connectionKey of leases.keys()) {
        const [hubId = '', sessionId = ''] = connectionKey.split(':');
        yield { channelId, lease: { agentId, hubId, sessionId }, state };
      }
    }
  }

  return {
    /** The number of leases, expired ones that were not reaped included. */
    get size() {
      return size;
    },
    channelIds: () => channels.keys(),
    has: ({ channelId, lease }: LeaveEntry) =>
      find(channelId, lease.agentId)?.leases.has(connectionKeyOf(lease)) ?? false,

    join(entry: JoinEntry, nowMs: number, endsAtMs: number): JoinOutcome {
      const { channelId, lease, initial = defaultState } = entry;
      const old = find(channelId, lease.agentId);
      const current = old && isPresent(old, nowMs) ? old.state : null;
      const given = parseState(entry.state ?? {});
      const base = current ?? parseState(initial);
      const state: PresenceState = {
        status: given.status ?? base.status,
        customStatus: given.customStatus === undefined ? base.customStatus : given.customStatus,
        avatar: given.avatar === undefined ? base.avatar : given.avatar,
      };
      const agent = take(channelId, lease, endsAtMs, state);
      agent.state = state;
      agent.lastSeenMs = nowMs;
      return {
        record: recordOf(lease.agentId, agent),
        changed: current === null || !isSameState(current, state),
      };
    },

    renew(entry: RenewEntry, nowMs: number, endsAtMs: number): RenewFinding[] {
      const { channelId, lease } = entry;
      const state = parseState(entry.state);
      const old = find(channelId, lease.agentId);
      const gone = !old || !(old.leases.has(connectionKeyOf(lease)) || isPresent(old, nowMs));
      const agent = take(channelId, lease, endsAtMs, state);
      agent.lastSeenMs = nowMs;
      if (!gone && isSameState(agent.state, state)) return [];
      return [{ channelId, record: recordOf(lease.agentId, agent), gone, stateGone: gone }];
    },

    update: ({ channelId, agentId, state }: UpdateEntry, nowMs: number): PresenceRecord | null => {
      const parsed = parseState(state);
      const agent = find(channelId, agentId);
      if (!agent || !isPresent(agent, nowMs)) return null;
      const changed = !isSameState(agent.state, parsed);
      agent.state = parsed;
      agent.lastSeenMs = nowMs;
      return changed ? recordOf(agentId, agent) : null;
    },

    leave: ({ channelId, lease }: LeaveEntry, nowMs: number): PresenceRecord | null => {
      const agent = find(channelId, lease.agentId);
      if (!agent?.leases.delete(connectionKeyOf(lease))) return null;
      size -= 1;
      if (isPresent(agent, nowMs)) return null;
      return { ...remove(channelId, lease.agentId, agent), lastSeen: nowMs };
    },

    reap(channelId: string, nowMs: number): PresenceRecord[] {
      const offline: PresenceRecord[] = [];
      for (const [agentId, agent] of channels.get(channelId)?.agents ?? []) {
        for (const [connectionKey, endsAtMs] of agent.leases) {
          if (endsAtMs > nowMs) continue;
          agent.leases.delete(connectionKey);
          size -= 1;
        }
        if (agent.leases.size === 0) offline.push(remove(channelId, agentId, agent));
      }
      return offline;
    },

    get(channelId: string, agentId: string, nowMs: number): PresenceRecord | null {
      const agent = find(channelId, agentId);
      return agent && isPresent(agent, nowMs) ? recordOf(agentId, agent) : null;
    },

    /** Lists agents with a lease that ends after `presentAfterMs`; counts the leases that end after `nowMs`. */
    list(channelId: string, cursor: string, limit: number, nowMs: number, presentAfterMs = nowMs) {
      const channel = channels.get(channelId);
      const presences: PresenceRecord[] = [];
      let count = 0;
      let nextCursor: string | null = null;
      for (const agent of channel?.agents.values() ?? []) {
        for (const endsAtMs of agent.leases.values()) if (endsAtMs > nowMs) count += 1;
      }
      if (channel) channel.sortedIds ??= [...channel.agents.keys()].sort();
      const sortedIds = channel?.sortedIds ?? [];
      for (let at = firstAfter(sortedIds, cursor); at < sortedIds.length; at += 1) {
        if (presences.length === limit) {
          nextCursor = sortedIds[at - 1] ?? null;
          break;
        }
        const agentId = sortedIds[at] ?? '';
        const agent = channel?.agents.get(agentId);
        if (agent && isPresent(agent, presentAfterMs)) presences.push(recordOf(agentId, agent));
      }
      return { presences, nextCursor, count, atMs: nowMs };
    },

    entriesOf,
    /** All leases, channel by channel. Leases may be added and removed between two steps. */
    *entries(): Generator<RenewEntry> {
      for (const channelId of channels.keys()) yield* entriesOf(channelId);
    },
  };
}

export type LocalLeases = ReturnType<typeof createLocalLeases>;

/** The position of the first id above `cursor`, by binary search. */
function firstAfter(sortedIds: readonly string[], cursor: string): number {
  let low = 0;
  let high = sortedIds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sortedIds[middle] ?? '') > cursor) high = middle;
    else low = middle + 1;
  }
  return low;
}
