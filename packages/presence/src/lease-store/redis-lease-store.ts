import { encodeRosterMember } from '@openclaw/key-schema';
import { PresenceError } from '../errors.ts';
import { parseOptions, type RedisLeaseStoreOptions } from '../options.ts';
import { defaultState, parseState, type PresenceRecord, type PresenceState } from '../state.ts';
import {
  createLeaseScripts,
  parseRecord,
  toBatches,
  type Batch,
  type ChangeOperation,
  type RecordReply,
  type RedisLeaseStoreDeps,
} from './lease-scripts.ts';
import {
  checkId,
  parsePage,
  type JoinEntry,
  type JoinOutcome,
  type LeaseStore,
  type LeaveEntry,
  type PresenceChange,
  type RenewEntry,
  type UpdateEntry,
} from './lease-store.ts';
import { createRedisReaper } from './redis-reaper.ts';

/** A page ends early after this many agents, because many of them may have expired. */
const maxLooked = 1000;

const toText = (value: string | null) => value ?? '';
const textsOf = ({ status, customStatus, avatar }: PresenceState) => [
  status,
  toText(customStatus),
  toText(avatar),
];

/** How a script reads and writes the entries of an operation. */
interface EntryCodec<E> {
  readonly agentOf: (entry: E) => string;
  readonly argsOf: (entry: E) => string[];
}

const joins: EntryCodec<JoinEntry> = {
  agentOf: ({ lease }) => lease.agentId,
  argsOf({ lease, state = {}, initial = defaultState }) {
    const given = parseState(state);
    const base = parseState(initial);
    const wish = (name: keyof PresenceState) =>
      given[name] === undefined ? `?${toText(base[name])}` : `=${toText(given[name])}`;
    return [encodeRosterMember(lease), wish('status'), wish('customStatus'), wish('avatar')];
  },
};
const renewals: EntryCodec<RenewEntry> = {
  agentOf: ({ lease }) => lease.agentId,
  argsOf: ({ lease, state }) => [encodeRosterMember(lease), ...textsOf(parseState(state))],
};
const updates: EntryCodec<UpdateEntry> = {
  agentOf: ({ agentId }) => agentId,
  argsOf: ({ agentId, state }) => [agentId, ...textsOf(parseState(state))],
};
const leaves: EntryCodec<LeaveEntry> = {
  agentOf: ({ lease }) => lease.agentId,
  argsOf: ({ lease }) => [encodeRosterMember(lease)],
};

/**
 * A lease store in Redis: the leases of a channel in one zset, the states in one hash per agent and channel, each
 * change decided by one script. Every call ends within the client's timeout and fails with `unavailable` while Redis is
 * away.
 * @throws {PresenceError} `invalid_options`
 */
export function createRedisLeaseStore(
  deps: RedisLeaseStoreDeps,
  options: RedisLeaseStoreOptions = {},
): LeaseStore {
  const { leaseMs } = parseOptions(options);
  const { clock, hubId, redislessHubs } = options;
  const scripts = createLeaseScripts(deps, { leaseMs, clock, expiryDecides: !redislessHubs });
  const monotonic = clock ?? (() => performance.now());
  const reap = createRedisReaper(scripts, { leaseMs, hubId, redislessHubs, monotonic });
  let closed = false;

  const checkOpen = () => {
    if (closed) throw new PresenceError('closed', 'presence was closed');
  };

  /** Sends one script call per batch, all in one round trip. */
  async function change<E extends { readonly channelId: string }>(
    operation: ChangeOperation,
    entries: readonly E[],
    { agentOf, argsOf }: EntryCodec<E>,
  ): Promise<{ batch: Batch<E>; reply: unknown }[]> {
    checkOpen();
    const batches = toBatches(entries);
    const replies = await scripts.send(
      batches.map(({ channelId, entries: some }) =>
        scripts.change(operation, channelId, some.map(agentOf), some.flatMap(argsOf)),
      ),
    );
    return batches.map((batch, index) => ({ batch, reply: replies[index] }));
  }

  /** For operations that reply only with the entries that changed: {i, record}. */
  async function changeSome<E extends { readonly channelId: string }>(
    ...[operation, entries, codec]: Parameters<typeof change<E>>
  ): Promise<(PresenceRecord | null | PresenceError)[]> {
    const records = entries.map((): PresenceRecord | null | PresenceError => null);
    for (const { batch, reply } of await change(operation, entries, codec)) {
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

  const store: LeaseStore = {
    async join(channelId, lease, state = {}) {
      const [outcome] = await store.joinMany([{ channelId, lease, state }]);
      if (outcome instanceof PresenceError) throw outcome;
      return outcome?.changed ? outcome.record : null;
    },

    async joinMany(entries) {
      const outcomes = new Array<JoinOutcome | PresenceError>(entries.length);
      for (const { batch, reply } of await change('join', entries, joins)) {
        batch.positions.forEach((position, index) => {
          if (reply instanceof PresenceError) return (outcomes[position] = reply);
          const [changed, ...record] = (reply as [number, ...RecordReply][])[index]!;
          return (outcomes[position] = { record: parseRecord(record), changed: changed === 1 });
        });
      }
      return outcomes;
    },

    async update(channelIds, agentId, state) {
      checkId(agentId);
      const entries = channelIds.map((channelId) => ({ channelId, agentId, state }));
      const records = await store.updateMany(entries);
      return records.flatMap((record, at): PresenceChange[] => {
        if (record instanceof PresenceError) throw record;
        return record ? [{ channelId: channelIds[at]!, record }] : [];
      });
    },

    updateMany: (entries) => changeSome('update', entries, updates),

    async renew(entries) {
      const sent = await change('renew', entries, renewals);
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

    async leave(channelId, lease) {
      const [record] = await store.leaveMany([{ channelId, lease }]);
      if (record instanceof PresenceError) throw record;
      return record ?? null;
    },

    leaveMany: (entries) => changeSome('leave', entries, leaves),

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

    async reap(channelIds) {
      checkOpen();
      channelIds.forEach(checkId);
      return reap(channelIds);
    },

    async close() {
      closed = true;
    },
  };
  return store;
}
