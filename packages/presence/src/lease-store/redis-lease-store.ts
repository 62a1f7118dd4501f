import { checkId, encodeRosterMember } from '@openclaw/key-schema';
import { toBatches, type Batch } from '@openclaw/redis-client';
import { PresenceError } from '../errors.ts';
import type { RedisLeaseStoreOptions } from '../options.ts';
import {
  defaultState,
  metadataText,
  parseState,
  type PresenceRecord,
  type PresenceState,
} from '../state.ts';
import {
  batchMax,
  createLeaseScripts,
  leaseArgs,
  parseRecord,
  type ChangeOperation,
  type RecordReply,
  type RedisLeaseStoreDeps,
} from './lease-scripts.ts';
import {
  parseConnectionPage,
  parsePage,
  withSingleCalls,
  type ConnectionEntry,
  type JoinEntry,
  type JoinOutcome,
  type LeaseStore,
  type LeaveEntry,
  type RenewEntry,
  type UpdateEntry,
} from './lease-store.ts';
import { createRedisReaper } from './redis-reaper.ts';

/** Bounds the work for a page of which many entries have expired. */
const maxLooked = 1000;

const toText = (value: string | null) => value ?? '';
const textsOf = (state: PresenceState) => [
  state.status,
  toText(state.customStatus),
  toText(state.avatar),
  metadataText(state),
];

function joinArgs({ lease, state = {}, initial = defaultState }: JoinEntry): string[] {
  const given = parseState(state);
  const base = parseState(initial);
  const wish = (name: 'status' | 'customStatus' | 'avatar') =>
    given[name] === undefined ? `?${toText(base[name])}` : `=${toText(given[name])}`;
  const metadata =
    given.metadata === undefined ? `?${metadataText(base)}` : `=${metadataText(given)}`;
  return [
    encodeRosterMember(lease),
    wish('status'),
    wish('customStatus'),
    wish('avatar'),
    metadata,
  ];
}
const renewArgs = (entry: RenewEntry) => [...leaseArgs(entry), ...textsOf(parseState(entry.state))];
const updateArgs = ({ agentId, state }: UpdateEntry) => [agentId, ...textsOf(parseState(state))];

/**
 * A lease store in Redis: a channel's leases in one zset, each agent's state in a hash, each change in one script.
 * While Redis is away, calls fail with `unavailable`.
 * @throws {PresenceError} `invalid_options`
 */
export function createRedisLeaseStore(
  deps: RedisLeaseStoreDeps,
  options: RedisLeaseStoreOptions = {},
): LeaseStore {
  const scripts = createLeaseScripts(deps, options);
  const reap = createRedisReaper(scripts, options);
  let closed = false;

  const checkOpen = () => {
    if (closed) throw new PresenceError('closed', 'presence was closed');
  };

  async function change<E extends LeaveEntry | UpdateEntry>(
    operation: ChangeOperation,
    entries: readonly E[],
    argsOf: (entry: E) => string[],
  ): Promise<{ batch: Batch<E>; reply: unknown }[]> {
    checkOpen();
    const batches = toBatches(entries, batchMax);
    const replies = await scripts.send(scripts.changes(operation, batches, argsOf));
    return batches.map((batch, index) => ({ batch, reply: replies[index] }));
  }

  /** For operations that reply with only the changed entries: {i, record}. */
  async function changeSome<E extends LeaveEntry | UpdateEntry>(
    ...args: Parameters<typeof change<E>>
  ): Promise<(PresenceRecord | null | PresenceError)[]> {
    const records = args[1].map((): PresenceRecord | null | PresenceError => null);
    for (const { batch, reply } of await change(...args)) {
      if (reply instanceof PresenceError) {
        for (const position of batch.positions) records[position] = reply;
        continue;
      }
      for (const [index, ...record] of reply as [number, ...RecordReply][]) {
        records[batch.positions[index - 1]!] = parseRecord(record);
      }
    }
    return records;
  }

  async function readRecords(channelId: string, agentIds: readonly string[], unreaped = false) {
    const args = [unreaped ? 1 : 0, ...agentIds];
    const reply = await scripts.run(scripts.read('get', channelId, agentIds, args));
    return (reply as RecordReply[]).map(parseRecord);
  }

  return withSingleCalls({
    async joinMany(entries) {
      const outcomes = new Array<JoinOutcome | PresenceError>(entries.length);
      for (const { batch, reply } of await change('join', entries, joinArgs)) {
        batch.positions.forEach((position, index) => {
          if (reply instanceof PresenceError) return (outcomes[position] = reply);
          const [changed, ...record] = (reply as [number, ...RecordReply][])[index]!;
          return (outcomes[position] = { record: parseRecord(record), changed: changed === 1 });
        });
      }
      return outcomes;
    },

    updateMany: (entries) => changeSome('update', entries, updateArgs),

    async renew(entries) {
      const sent = await change('renew', entries, renewArgs);
      return sent.flatMap(({ batch: { channelId }, reply }) => {
        if (reply instanceof PresenceError) throw reply;
        return (reply as [number, number, ...RecordReply][]).map(([, loss, ...record]) => ({
          channelId,
          record: parseRecord(record),
          gone: loss > 0,
          stateGone: loss === 2,
        }));
      });
    },

    leaveMany: (entries) => changeSome('leave', entries, leaseArgs),

    async get(channelId, agentId) {
      checkOpen();
      const [record] = await readRecords(channelId, [agentId]);
      return record ?? null;
    },

    async list(channelId, page = {}) {
      checkOpen();
      const { cursor, limit, unreaped } = parsePage(page);
      const args = [unreaped ? 1 : 0, cursor, limit, maxLooked];
      const reply = await scripts.run(scripts.read('list', channelId, [], args));
      const [count, next, agentIds, atMs] = reply as [number, string, string[], number];
      const presences = agentIds.length > 0 ? await readRecords(channelId, agentIds, unreaped) : [];
      return { presences, nextCursor: next === '' ? null : next, count, atMs };
    },

    async listConnections(channelId, page = {}) {
      checkOpen();
      const { agentId, cursor, limit } = parseConnectionPage(page);
      const args = [agentId, cursor.replaceAll(':', ' '), limit, maxLooked];
      const reply = await scripts.run(scripts.read('connections', channelId, [], args));
      const [next, leases, atMs] = reply as [string, [indexed: string, endsAtMs: number][], number];
      const connections = leases.map(([indexed, endsAtMs]): ConnectionEntry => {
        const [owner = '', hubId = '', sessionId = ''] = indexed.split(' ');
        return { agentId: owner, hubId, sessionId, endsAtMs };
      });
      return { connections, nextCursor: next === '' ? null : next.replaceAll(' ', ':'), atMs };
    },

    async reap(channelIds) {
      checkOpen();
      channelIds.forEach(checkId);
      return reap(channelIds);
    },

    async close() {
      closed = true;
    },
  });
}
