import { randomUUID } from 'node:crypto';
import { checkId, createKeySchema, isNameId, type KeySchema } from '@openclaw/key-schema';
import {
  createListeners,
  createThrottledWarn,
  type Logger,
  type RedisClient,
} from '@openclaw/redis-client';
import { PresenceError } from '../errors.ts';
import {
  checkLease,
  parseConnectionPage,
  parsePage,
  type ConnectionPage,
  type ConnectionPageOptions,
  type Lease,
  type LeaveEntry,
  type PageOptions,
  type PresenceChange,
  type PresencePage,
  type RenewEntry,
} from '../lease-store/lease-store.ts';
import { createLocalLeases } from '../lease-store/memory-lease-store.ts';
import { parseOptions, type PresenceTrackerOptions } from '../options.ts';
import { parseState, type PresenceRecord, type PresenceState } from '../state.ts';
import type { Decision } from './changes.ts';
import { createSharedPresence } from './shared-presence.ts';

/** The caller gives each connection a sessionId of its own. */
export type Connection = Omit<Lease, 'hubId'>;

/** Called once for each change that this process decided. */
export type PresenceListener = (
  channelId: string,
  record: PresenceRecord,
  /** `degraded`: decided without Redis, from this process' own connections. */
  info: { readonly degraded: boolean },
) => void;

export interface PresenceStats {
  readonly leases: number;
  readonly unsent: number;
  /** The number of changes that were made without Redis and that Redis still misses. */
  readonly toReplay: number;
  readonly degraded: boolean;
}

/**
 * The tracker renews the leases of this process' connections, and reaps expired leases of other processes. While Redis
 * is away or refuses writes, the tracker uses only this process' connections and reports `degraded`. Afterwards the
 * tracker replays what Redis missed, and reaps nothing for `leaseMs`.
 */
export interface PresenceTracker {
  readonly hubId: string;
  /** Redis is away, refuses writes, or denies calls of presence. Always false if `redis` was not given. */
  readonly degraded: boolean;
  /**
   * Call it when the connection enters the channel; a repeat changes nothing. Fields that `state` omits come from the
   * agent's other connections there, else from this connection's last state, else the agent is `online`. Rejects with
   * `full`, `invalid_argument`, `closed` or for a bad id, but never because of Redis.
   */
  track(
    channelId: string,
    connection: Connection,
    state?: Partial<PresenceState>,
  ): Promise<Decision>;
  /**
   * Call it when the connection left the channel. Resolves with the offline record if it was the agent's last
   * connection there.
   */
  untrack(channelId: string, connection: Connection): Promise<Decision>;
  untrackAll(connection: Connection): Promise<void>;
  /** Sets the agent's state in all current and later channels of the connection. */
  set(connection: Connection, state: PresenceState): Promise<void>;
  get(
    channelId: string,
    agentId: string,
  ): Promise<{ presence: PresenceRecord | null; degraded: boolean }>;
  /** Sorted by agentId. */
  list(channelId: string, page?: PageOptions): Promise<PresencePage & { degraded: boolean }>;
  /**
   * One entry per connection. Without `redis` or while degraded, `endsAtMs` is Infinity, because connections last until
   * `untrack`.
   */
  listConnections(
    channelId: string,
    page?: ConnectionPageOptions,
  ): Promise<ConnectionPage & { degraded: boolean }>;
  /** Reaps the channel until the returned function is called, even if this process has no connection there. */
  watch(channelId: string): () => void;
  onChange(listener: PresenceListener): () => void;
  /** Called when {@link PresenceTracker.degraded} changes. */
  onDegraded(listener: (degraded: boolean) => void): () => void;
  /**
   * Called when Redis lost its data without a loss of the connection. Living processes restore their leases within a
   * second. If an agent left before the restore, no reaper reports the agent.
   */
  onWiped(listener: () => void): () => void;
  stats(): PresenceStats;
  /** Ends and announces all leases of this process. Idempotent. */
  close(): Promise<void>;
}

/** Without `redis`, presence is in the memory of this process. */
export interface PresenceTrackerDeps {
  readonly redis?: RedisClient;
  /** @default createKeySchema() */
  readonly keys?: KeySchema;
  readonly logger?: Pick<Logger, 'warn'>;
}

const closingMax = 500;

interface TrackedConnection {
  readonly channelIds: Set<string>;
  state: PresenceState | undefined;
}

const connectionKeyOf = ({ agentId, sessionId }: Connection) => `${agentId}:${sessionId}`;

/**
 * Does not wait for Redis.
 * @throws {PresenceError} `invalid_options`
 */
export function createPresence(
  deps: PresenceTrackerDeps = {},
  options: PresenceTrackerOptions = {},
): PresenceTracker {
  const { leaseMs, heartbeatMs, maxLeases } = parseOptions(options);
  const { hubId = randomUUID(), clock = Date.now } = options;
  if (!isNameId(hubId)) throw new PresenceError('invalid_options', 'hubId is not a valid id');
  if (deps.redis && heartbeatMs * 3 > leaseMs) {
    throw new PresenceError('invalid_options', 'heartbeatMs must be at most a third of leaseMs');
  }
  const { redis, logger, keys = createKeySchema() } = deps;
  const now = () => Math.floor(clock());
  const warn = createThrottledWarn(logger, () => performance.now());
  const connections = new Map<string, TrackedConnection>();
  const localLeases = createLocalLeases(maxLeases);
  const leaving = new Set<Promise<Decision>>();
  let closed = false;

  const onThrow = (error: unknown) => warn({ err: error }, 'a presence listener threw');
  const changeListeners = createListeners<Parameters<PresenceListener>>(onThrow);
  const degradedListeners = createListeners<[boolean]>(onThrow);
  const wipedListeners = createListeners<[]>(onThrow);
  const emit = ({ channelId, record }: PresenceChange, degraded: boolean) =>
    changeListeners.emit(channelId, record, { degraded });
  const onDegraded = degradedListeners.emit;
  const onWiped = wipedListeners.emit;
  const shared = redis
    ? createSharedPresence(
        { redis, keys, localLeases, emit, warn, now, onDegraded, onWiped },
        { ...options, hubId },
      )
    : null;
  const isDegraded = () => shared?.isDegraded() ?? false;

  const checkOpen = () => {
    if (closed) throw new PresenceError('closed', 'presence was closed');
  };
  const leaseOf = ({ agentId, sessionId }: Connection): Lease => ({ agentId, hubId, sessionId });

  function connectionOf(connection: Connection): TrackedConnection {
    const key = connectionKeyOf(connection);
    let tracked = connections.get(key);
    if (!tracked) {
      if (connections.size >= maxLeases) throw new PresenceError('full', 'too many connections');
      connections.set(key, (tracked = { channelIds: new Set(), state: undefined }));
    }
    return tracked;
  }

  function decideLocally(channelId: string, record: Decision['record']): Promise<Decision> {
    if (record) emit({ channelId, record }, false);
    return Promise.resolve({ record, degraded: false });
  }

  async function endLease(entry: LeaveEntry): Promise<Decision> {
    if (!localLeases.has(entry)) return { record: null, degraded: isDegraded() };
    const record = localLeases.leave(entry, now());
    if (!shared) return decideLocally(entry.channelId, record);
    const left = shared.changes.leave(entry, record);
    leaving.add(left);
    return left.finally(() => leaving.delete(left));
  }

  return {
    hubId,
    get degraded() {
      return isDegraded();
    },

    async track(channelId, connection, state = {}) {
      checkOpen();
      const lease = leaseOf(connection);
      checkLease({ channelId, lease });
      const initial = connections.get(connectionKeyOf(connection))?.state;
      const entry = { channelId, lease, state, ...(initial && { initial }) };
      const local = localLeases.join(entry, now(), Infinity);
      connectionOf(connection).channelIds.add(channelId);
      return shared
        ? shared.changes.join(entry, local)
        : decideLocally(channelId, local.changed ? local.record : null);
    },

    async untrack(channelId, connection) {
      checkOpen();
      const lease = leaseOf(connection);
      checkLease({ channelId, lease });
      const tracked = connections.get(connectionKeyOf(connection));
      tracked?.channelIds.delete(channelId);
      if (tracked?.channelIds.size === 0 && !tracked.state) {
        connections.delete(connectionKeyOf(connection));
      }
      return endLease({ channelId, lease });
    },

    async untrackAll(connection) {
      checkOpen();
      const channelIds = connections.get(connectionKeyOf(connection))?.channelIds ?? [];
      connections.delete(connectionKeyOf(connection));
      const lease = leaseOf(connection);
      await Promise.all([...channelIds].map((channelId) => endLease({ channelId, lease })));
    },

    async set(connection, given) {
      checkOpen();
      const state = parseState(given);
      checkLease({ channelId: 'any', lease: leaseOf(connection) });
      const tracked = connectionOf(connection);
      tracked.state = state;
      const { agentId } = connection;
      await Promise.all(
        [...tracked.channelIds].map((channelId) => {
          const entry = { channelId, agentId, state };
          const record = localLeases.update(entry, now());
          return shared?.changes.set(entry, record) ?? decideLocally(channelId, record);
        }),
      );
    },

    async get(channelId, agentId) {
      checkOpen();
      [channelId, agentId].forEach(checkId);
      const getLocal = () => localLeases.get(channelId, agentId, now());
      if (!shared) return { presence: getLocal(), degraded: false };
      const read = await shared.read((store) => store.get(channelId, agentId), getLocal);
      return { presence: read.value, degraded: read.degraded };
    },

    async list(channelId, options = {}) {
      checkOpen();
      checkId(channelId);
      const { cursor, limit, unreaped } = parsePage(options);
      const listLocal = () => localLeases.list(channelId, cursor, limit, now());
      if (!shared) return { ...listLocal(), degraded: false };
      const page = { cursor: cursor || null, limit, unreaped };
      const read = await shared.read((store) => store.list(channelId, page), listLocal);
      return { ...read.value, degraded: read.degraded };
    },

    async listConnections(channelId, options = {}) {
      checkOpen();
      checkId(channelId);
      const page = parseConnectionPage(options);
      const listLocal = () => localLeases.listConnections(channelId, page, now());
      if (!shared) return { ...listLocal(), degraded: false };
      const read = await shared.read(
        (store) => store.listConnections(channelId, options),
        listLocal,
      );
      return { ...read.value, degraded: read.degraded };
    },

    watch(channelId) {
      checkId(channelId);
      return shared?.watch(channelId) ?? (() => {});
    },

    onChange: changeListeners.add,
    onDegraded: degradedListeners.add,
    onWiped: wipedListeners.add,

    stats: () => ({
      leases: localLeases.size,
      unsent: shared?.changes.unsent() ?? 0,
      toReplay: shared?.changes.toReplay() ?? 0,
      degraded: isDegraded(),
    }),

    async close() {
      if (closed) return;
      closed = true;
      shared?.stop();
      for (;;) {
        const some: RenewEntry[] = [];
        for (const entry of localLeases.entries()) {
          if (some.push(entry) === closingMax) break;
        }
        if (some.length === 0) break;
        await Promise.all(some.map(endLease));
      }
      await Promise.allSettled(leaving);
      await shared?.close();
      connections.clear();
      changeListeners.clear();
      degradedListeners.clear();
      wipedListeners.clear();
    },
  };
}
