import { checkId } from '@openclaw/key-schema';
import { PresenceError } from '../errors.ts';
import { parseOptions, type MemoryLeaseStoreOptions } from '../options.ts';
import {
  defaultState,
  isSameState,
  parseState,
  toState,
  type PresenceRecord,
  type PresenceState,
} from '../state.ts';
import {
  checkLease,
  parseConnectionPage,
  parsePage,
  withSingleCalls,
  type ConnectionEntry,
  type ConnectionPage,
  type JoinEntry,
  type JoinOutcome,
  type Lease,
  type LeaseStore,
  type LeaveEntry,
  type RenewEntry,
  type RenewFinding,
  type UpdateEntry,
} from './lease-store.ts';

/**
 * A lease store in memory. Its calls have the same results as those of {@link createRedisLeaseStore}.
 * @throws {PresenceError} `invalid_options`
 */
export function createMemoryLeaseStore(options: MemoryLeaseStoreOptions = {}): LeaseStore {
  const { leaseMs, maxLeases } = parseOptions(options);
  const { clock = Date.now } = options;
  const leases = createLocalLeases(maxLeases);
  let closed = false;

  async function run<T>(work: (nowMs: number) => T): Promise<T> {
    if (closed) throw new PresenceError('closed', 'presence was closed');
    return work(Math.floor(clock()));
  }

  /** An entry that fails with `full` gets this error as its result. Other errors fail the whole call, as with Redis. */
  function runEach<E, T>(
    entries: readonly E[],
    check: (entry: E) => void,
    work: (entry: E, nowMs: number) => T,
  ): Promise<(T | PresenceError)[]> {
    return run((nowMs) => {
      entries.forEach(check);
      return entries.map((entry) => {
        try {
          return work(entry, nowMs);
        } catch (error) {
          if (error instanceof PresenceError && error.code === 'full') return error;
          throw error;
        }
      });
    });
  }

  return withSingleCalls({
    joinMany: (entries) =>
      runEach(entries, checkLease, (entry, nowMs) => leases.join(entry, nowMs, nowMs + leaseMs)),
    updateMany: (entries) =>
      runEach(
        entries,
        ({ channelId, agentId }) => [channelId, agentId].forEach(checkId),
        leases.update,
      ),
    leaveMany: (entries) => runEach(entries, checkLease, leases.leave),
    renew: (entries) =>
      run((nowMs) => {
        entries.forEach(checkLease);
        return entries.flatMap((entry) => leases.renew(entry, nowMs, nowMs + leaseMs));
      }),
    get: (channelId, agentId) =>
      run((nowMs) => {
        [channelId, agentId].forEach(checkId);
        return leases.get(channelId, agentId, nowMs);
      }),
    list: (channelId, page = {}) =>
      run((nowMs) => {
        checkId(channelId);
        const { cursor, limit, unreaped } = parsePage(page);
        return leases.list(channelId, cursor, limit, nowMs, unreaped ? 0 : nowMs);
      }),
    listConnections: (channelId, page = {}) =>
      run((nowMs) => {
        checkId(channelId);
        return leases.listConnections(channelId, parseConnectionPage(page), nowMs);
      }),
    reap: (channelIds) =>
      run((nowMs) => {
        channelIds.forEach(checkId);
        return channelIds.flatMap((channelId) =>
          leases.reap(channelId, nowMs).map((record) => ({ channelId, record })),
        );
      }),
    async close() {
      closed = true;
    },
  });
}

interface AgentPresence {
  state: PresenceState;
  lastSeenMs: number;
  /** `hubId:sessionId` → end of the lease. */
  readonly leases: Map<string, number>;
}

interface ChannelLeases {
  readonly agents: Map<string, AgentPresence>;
  /** Sorted agentIds, built by the first list after a change. */
  sortedIds: readonly string[] | null;
}

const connectionKeyOf = ({ hubId, sessionId }: Lease) => `${hubId}:${sessionId}`;

/** Leases of one process: the memory store's data, or a tracker's own connections. The caller checks the ids. */
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
    /** Includes expired leases that were not reaped. */
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
      const state = toState({
        status: given.status ?? base.status,
        customStatus: given.customStatus === undefined ? base.customStatus : given.customStatus,
        avatar: given.avatar === undefined ? base.avatar : given.avatar,
        metadata: (given.metadata === undefined ? base.metadata : given.metadata) ?? null,
      });
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
      const state = toState(parseState(entry.state));
      const old = find(channelId, lease.agentId);
      const gone = !old || !(old.leases.has(connectionKeyOf(lease)) || isPresent(old, nowMs));
      const agent = take(channelId, lease, endsAtMs, state);
      agent.lastSeenMs = nowMs;
      if (!gone && isSameState(agent.state, state)) return [];
      return [{ channelId, record: recordOf(lease.agentId, agent), gone, stateGone: gone }];
    },

    update: ({ channelId, agentId, state }: UpdateEntry, nowMs: number): PresenceRecord | null => {
      const parsed = toState(parseState(state));
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

    /** Lists agents with a lease that ends after `presentAfterMs`. Counts leases that end after `nowMs`. */
    list(channelId: string, cursor: string, limit: number, nowMs: number, presentAfterMs = nowMs) {
      const channel = channels.get(channelId);
      const presences: PresenceRecord[] = [];
      let count = 0;
      let nextCursor: string | null = null;
      for (const agent of channel?.agents.values() ?? []) {
        for (const endsAtMs of agent.leases.values()) if (endsAtMs > nowMs) count += 1;
      }
      if (channel) channel.sortedIds ??= [...channel.agents.keys()].sort();
      const agentIds = channel?.sortedIds?.filter((agentId) => agentId > cursor) ?? [];
      for (const [at, agentId] of agentIds.entries()) {
        if (presences.length === limit) {
          nextCursor = agentIds[at - 1] ?? null;
          break;
        }
        const agent = channel?.agents.get(agentId);
        if (agent && isPresent(agent, presentAfterMs)) presences.push(recordOf(agentId, agent));
      }
      return { presences, nextCursor, count, atMs: nowMs };
    },

    listConnections(
      channelId: string,
      { agentId, cursor, limit }: ReturnType<typeof parseConnectionPage>,
      nowMs: number,
    ): ConnectionPage {
      // Redis sorts the ids with a space between them.
      const sortKeyOf = (member: string) => member.replaceAll(':', ' ');
      const found: { readonly member: string; readonly entry: ConnectionEntry }[] = [];
      for (const [owner, { leases }] of channels.get(channelId)?.agents ?? []) {
        if (agentId !== '' && owner !== agentId) continue;
        for (const [connectionKey, endsAtMs] of leases) {
          const member = `${owner}:${connectionKey}`;
          if (endsAtMs <= nowMs || sortKeyOf(member) <= sortKeyOf(cursor)) continue;
          const [hubId = '', sessionId = ''] = connectionKey.split(':');
          found.push({ member, entry: { agentId: owner, hubId, sessionId, endsAtMs } });
        }
      }
      found.sort((a, b) => (sortKeyOf(a.member) < sortKeyOf(b.member) ? -1 : 1));
      const page = found.slice(0, limit);
      return {
        connections: page.map(({ entry }) => entry),
        nextCursor: found.length > limit ? page.at(-1)!.member : null,
        atMs: nowMs,
      };
    },

    entriesOf,
    /** The caller may change leases during the iteration. */
    *entries(): Generator<RenewEntry> {
      for (const channelId of channels.keys()) yield* entriesOf(channelId);
    },
  };
}

export type LocalLeases = ReturnType<typeof createLocalLeases>;
