import { createKeySchema, encodeRosterMember, ttlMs, type KeySchema } from '@openclaw/key-schema';
import {
  type Batch,
  defineScript,
  type RedisClient,
  type ScriptCall,
  toUnavailable,
} from '@openclaw/redis-client';
import { PresenceError } from '../errors.ts';
import { leaseChangesLua, leaseReadsLua } from '../lua.gen.ts';
import { parseOptions, type RedisLeaseStoreOptions } from '../options.ts';
import { parseMetadata, type PresenceRecord, type PresenceStatus } from '../state.ts';
import type { LeaveEntry, UpdateEntry } from './lease-store.ts';

const changesScript = defineScript('presence changes', leaseChangesLua);
const readsScript = defineScript('presence reads', leaseReadsLua);

export type ChangeOperation = 'join' | 'renew' | 'extend' | 'update' | 'leave' | 'reap';

export interface RedisLeaseStoreDeps {
  readonly redis: Pick<RedisClient, 'pipeline' | 'run'>;
  /** @default createKeySchema() */
  readonly keys?: KeySchema;
}

/** The most entries of one call, so that the call blocks Redis for at most a millisecond. */
export const batchMax = 50;

const agentIdOf = (entry: LeaveEntry | UpdateEntry) =>
  'lease' in entry ? entry.lease.agentId : entry.agentId;

export const leaseArgs = ({ lease }: LeaveEntry) => [encodeRosterMember(lease)];

/** agentId, status, customStatus, avatar, metadata, lastSeen. */
export type RecordReply = readonly [string, string, string, string, string, string | number];

export function parseRecord(reply: RecordReply): PresenceRecord {
  const [agentId, status, customStatus, avatar, metadataText, lastSeen] = reply;
  const metadata = parseMetadata(metadataText);
  return {
    agentId,
    status: status as PresenceStatus | 'offline',
    customStatus: customStatus === '' ? null : customStatus,
    avatar: avatar === '' ? null : avatar,
    ...(metadata && { metadata }),
    lastSeen: Number(lastSeen),
  };
}

/** @throws {PresenceError} `invalid_options` */
export function createLeaseScripts(
  { redis, keys = createKeySchema() }: RedisLeaseStoreDeps,
  options: RedisLeaseStoreOptions,
) {
  const { leaseMs } = parseOptions(options);
  const { clock, redislessHubs } = options;
  // After an outage, expired leases may stay unreaped for `leaseMs`, so their data must outlive them by that time.
  const keepMs = Math.max(leaseMs, 60_000);
  const hashMs = Math.max(leaseMs, ttlMs.presence);
  // With `redislessHubs`, an agent counts as present until its expired lease is reaped.
  const expiryDecides = redislessHubs ? 0 : 1;

  const keysOf = (channelId: string, agentIds: readonly string[]) => [
    keys.roster(channelId),
    keys.rosterAgents(channelId),
    ...agentIds.map((agentId) => keys.presence(channelId, agentId)),
  ];
  const now = () => (clock ? Math.floor(clock()) : '');

  return {
    changes<E extends LeaveEntry | UpdateEntry>(
      operation: ChangeOperation,
      batches: readonly Batch<E>[],
      argsOf: (entry: E) => string[],
      leaseForMs = leaseMs,
    ): ScriptCall[] {
      const rules = [leaseForMs, keepMs, hashMs, expiryDecides];
      return batches.map(({ channelId, entries }) => ({
        script: changesScript,
        keys: keysOf(channelId, entries.map(agentIdOf)),
        args: [operation, now(), ...rules, ...entries.flatMap(argsOf)],
      }));
    },

    read(
      operation: 'get' | 'list' | 'connections' | 'expired',
      channelId: string,
      agentIds: readonly string[],
      args: readonly (string | number)[],
    ): ScriptCall {
      return {
        script: readsScript,
        keys: keysOf(channelId, agentIds),
        args: [operation, now(), leaseMs, ...args],
      };
    },

    async run(call: ScriptCall): Promise<unknown> {
      return redis.run(call).catch((error: unknown) => {
        throw toUnavailable(PresenceError, error);
      });
    },

    /** Sends all calls in one round trip. Resolves with a reply or a `PresenceError` for each. Never rejects. */
    async send(calls: readonly ScriptCall[]): Promise<unknown[]> {
      if (calls.length === 0) return [];
      try {
        const replies = await redis.pipeline(calls);
        return replies.map((reply) =>
          reply instanceof Error ? toUnavailable(PresenceError, reply) : reply,
        );
      } catch (error) {
        const failure = toUnavailable(PresenceError, error);
        return calls.map(() => failure);
      }
    },
  };
}

export type LeaseScripts = ReturnType<typeof createLeaseScripts>;
