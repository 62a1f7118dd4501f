import { encodeRosterMember } from '@openclaw/key-schema';
import type { Script } from '@openclaw/redis-client';
import {
  batchesOf,
  createChannelCalls,
  recordOf,
  type Batch,
  type RecordReply,
  type RedisLeaseStoreDeps,
} from './channel-calls.ts';
import { PresenceError, toUnavailable } from './errors.ts';
import { parseOptions, type RedisLeaseStoreOptions } from './options.ts';
import { parsePage } from './page.ts';
import type { JoinEntry, LeaseStore, PresenceChange, RenewEntry, UpdateEntry } from './presence.ts';
import { createReaper } from './reaper.ts';
import { scripts } from './scripts.ts';
import { parseState, plainState, type PresenceRecord, type PresenceState } from './state.ts';

/** A page may have to pass over agents whose leases ended; past this many it ends early and the caller goes on. */
const lookMax = 1000;

const textOf = (value: string | null) => value ?? '';

/** How join.lua is told of a field: set, used if nobody is there yet, or left as it is. */
function wishes({ state = {}, initial = plainState }: JoinEntry): string[] {
  const given = parseState(state);
  const base = parseState(initial);
  const wish = (name: keyof PresenceState) =>
    given[name] === undefined ? `?${textOf(base[name])}` : `=${textOf(given[name])}`;
  return [wish('status'), wish('customStatus'), wish('avatar')];
}

const leaseAgent = ({ lease }: { readonly lease: { readonly agentId: string } }) => lease.agentId;

function updateArgs({ agentId, state }: UpdateEntry): string[] {
  const { status, customStatus, avatar } = parseState(state);
  return [agentId, status, textOf(customStatus), textOf(avatar)];
}

function renewArgs(entry: RenewEntry): string[] {
  const { status, customStatus, avatar } = parseState(entry.state);
  return [encodeRosterMember(entry.lease), status, textOf(customStatus), textOf(avatar)];
}

/**
 * Presence on Redis: leases in one zset per channel, states in one hash per agent and channel, each change decided by
 * one script. Every call ends within the client's timeout and fails with `unavailable` while Redis is away.
 * @throws {PresenceError} `invalid_options`
 */
export function createRedisLeaseStore(
  deps: RedisLeaseStoreDeps,
  options: RedisLeaseStoreOptions = {},
): LeaseStore {
  const { leaseMs } = parseOptions(options);
  const { clock, hubId, redislessHubs } = options;
  const calls = createChannelCalls(deps, { leaseMs, clock, expiryDecides: !redislessHubs });
  const monotonic = clock ?? (() => performance.now());
  const reap = createReaper(calls, { leaseMs, hubId, redislessHubs, monotonic });
  let closed = false;

  const checkOpen = () => {
    if (closed) throw new PresenceError('closed', 'presence was closed');
  };

  /** One script call per batch, all in one round trip; replies beside their batches. */
  async function sendBatches<E extends { readonly channelId: string }>(
    script: Script,
    entries: readonly E[],
    agentOf: (entry: E) => string,
    argsOf: (entry: E) => readonly string[],
  ): Promise<{ batch: Batch<E>; reply: unknown }[]> {
    checkOpen();
    const batches = batchesOf(entries);
    const replies = await calls.send(
      batches.map(({ channelId, entries: some }) =>
        calls.call(script, channelId, some.map(agentOf), some.flatMap(argsOf)),
      ),
    );
    return batches.map((batch, index) => ({ batch, reply: replies[index] }));
  }

  /** For scripts that answer only those entries of which there is something to tell: its place, then the record. */
  async function sendForRecords<E extends { readonly channelId: string }>(
    ...[script, entries, agentOf, argsOf]: Parameters<typeof sendBatches<E>>
  ): Promise<(PresenceRecord | null | PresenceError)[]> {
    const records = entries.map((): PresenceRecord | null | PresenceError => null);
    for (const { batch, reply } of await sendBatches(script, entries, agentOf, argsOf)) {
      if (reply instanceof PresenceError) {
        for (const place of batch.places) records[place] = reply;
        continue;
      }
      for (const [index, ...record] of reply as [number, ...RecordReply][]) {
        records[batch.places[index - 1]!] = recordOf(record);
      }
    }
    return records;
  }

  async function records(channelId: string, agentIds: readonly string[], unreaped = false) {
    const args = [unreaped ? '1' : '0', ...agentIds];
    const reply = await run(scripts.get, channelId, agentIds, args);
    return (reply as RecordReply[]).map(recordOf);
  }

  async function run(
    script: Script,
    channelId: string,
    agentIds: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    checkOpen();
    const call = calls.call(script, channelId, agentIds, args);
    return deps.redis.run(call).catch((error: unknown) => {
      throw toUnavailable(error);
    });
  }

  const presence: LeaseStore = {
    async join(channelId, lease, state = {}) {
      const [outcome] = await presence.joinMany([{ channelId, lease, state }]);
      if (outcome instanceof PresenceError) throw outcome;
      return outcome?.changed ? outcome.record : null;
    },

    async joinMany(entries) {
      const outcomes = new Array<Awaited<ReturnType<LeaseStore['joinMany']>>[number]>(
        entries.length,
      );
      const sent = await sendBatches(scripts.join, entries, leaseAgent, (entry) => [
        encodeRosterMember(entry.lease),
        ...wishes(entry),
      ]);
      for (const { batch, reply } of sent) {
        batch.places.forEach((place, index) => {
          if (reply instanceof PresenceError) return (outcomes[place] = reply);
          const [changed, ...record] = (reply as [number, ...RecordReply][])[index]!;
          return (outcomes[place] = { record: recordOf(record), changed: changed === 1 });
        });
      }
      return outcomes;
    },

    async update(channelIds, agentId, state) {
      const entries = channelIds.map((channelId) => ({ channelId, agentId, state }));
      const records = await presence.updateMany(entries);
      return records.flatMap((record, at): PresenceChange[] => {
        if (record instanceof PresenceError) throw record;
        return record ? [{ channelId: channelIds[at]!, record }] : [];
      });
    },

    updateMany: (entries) =>
      sendForRecords(scripts.update, entries, ({ agentId }) => agentId, updateArgs),

    async renew(entries) {
      const sent = await sendBatches(scripts.renew, entries, leaseAgent, renewArgs);
      return sent.flatMap(({ batch: { channelId }, reply }) => {
        if (reply instanceof PresenceError) throw reply;
        return (reply as [number, number, ...RecordReply][]).map(([, gone, ...record]) => ({
          channelId,
          record: recordOf(record),
          gone: gone > 0,
          stateGone: gone === 2,
        }));
      });
    },

    async leave(channelId, lease) {
      const [gone] = await presence.leaveMany([{ channelId, lease }]);
      if (gone instanceof PresenceError) throw gone;
      return gone ?? null;
    },

    leaveMany: (entries) =>
      sendForRecords(scripts.leave, entries, leaseAgent, ({ lease }) => [
        encodeRosterMember(lease),
      ]),

    async get(channelId, agentId) {
      const [record] = await records(channelId, [agentId]);
      return record ?? null;
    },

    async list(channelId, page = {}) {
      const { cursor, limit, unreaped } = parsePage(page);
      const args = [cursor, limit, lookMax, unreaped ? '1' : '0'];
      const reply = await run(scripts.list, channelId, [], args);
      const [count, next, agentIds, atMs] = reply as [number, string, string[], number];
      const presences = agentIds.length > 0 ? await records(channelId, agentIds, unreaped) : [];
      return { presences, nextCursor: next === '' ? null : next, count, atMs };
    },

    async reap(channelIds) {
      checkOpen();
      return reap(channelIds);
    },

    async close() {
      closed = true;
    },
  };
  return presence;
}
