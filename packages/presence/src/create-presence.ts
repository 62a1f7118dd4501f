import { randomUUID } from 'node:crypto';
import { createKeySchema, isNameId, type KeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import { PresenceError } from './errors.ts';
import { createListeners } from './listeners.ts';
import { checkLease } from './memory-presence.ts';
import { parseOptions, type PresenceTrackerOptions } from './options.ts';
import { parsePage } from './page.ts';
import type { Lease, PresenceChange, RenewEntry } from './presence.ts';
import { createRemote } from './remote.ts';
import { createRoster } from './roster.ts';
import { parseState, type PresenceState } from './state.ts';
import type { Connection, Decision, PresenceListener, PresenceTracker } from './tracker.ts';
import { createWarning, type PresenceLogger } from './warning.ts';

/** What a tracker works with. Without `redis` it keeps presence in memory, for this process alone. */
export interface PresenceTrackerDeps {
  readonly redis?: RedisClient;
  /** @default createKeySchema() */
  readonly keys?: KeySchema;
  readonly logger?: PresenceLogger;
}

/** Leases ended together when a tracker closes. */
const closingMax = 500;

interface Session {
  readonly channelIds: Set<string>;
  state: PresenceState | undefined;
}

/**
 * Presence with everything built in: see {@link PresenceTracker}. Does not wait for Redis.
 * @throws {PresenceError} `invalid_options`
 */
export function createPresence(
  deps: PresenceTrackerDeps = {},
  options: PresenceTrackerOptions = {},
): PresenceTracker {
  const { leaseMs, heartbeatMs, maxLeases } = parseOptions(options);
  const { hubId = randomUUID(), clock = Date.now } = options;
  if (!isNameId(hubId)) throw new PresenceError('invalid_options', 'hubId is no id');
  if (deps.redis && heartbeatMs * 3 > leaseMs) {
    throw new PresenceError('invalid_options', 'heartbeatMs must be at most a third of leaseMs');
  }
  const { redis, logger, keys = createKeySchema() } = deps;
  const now = () => Math.floor(clock());
  const warn = createWarning(logger, () => performance.now());
  const sessions = new Map<string, Session>();
  const own = createRoster(maxLeases);
  /** Leaves on their way to Redis: a tracker that closes waits for them too. */
  const leaving = new Set<Promise<Decision>>();
  let closed = false;

  const changeListeners = createListeners<Parameters<PresenceListener>>(warn);
  const emit = ({ channelId, record }: PresenceChange, degraded: boolean) =>
    changeListeners.emit(channelId, record, { degraded });
  const degradedListeners = createListeners<[boolean]>(warn);
  const wipedListeners = createListeners<[]>(warn);
  const remote = redis
    ? createRemote(
        {
          ...{ redis, keys, own, emit, warn, now },
          onDegraded: degradedListeners.emit,
          onWiped: wipedListeners.emit,
        },
        { ...options, hubId },
      )
    : null;
  const isDegraded = () => remote?.isDegraded() ?? false;

  const checkOpen = () => {
    if (closed) throw new PresenceError('closed', 'presence was closed');
  };
  const nameOf = ({ agentId, sessionId }: Connection) => `${agentId}:${sessionId}`;
  const leaseOf = ({ agentId, sessionId }: Connection): Lease => ({ agentId, hubId, sessionId });

  function sessionOf(connection: Connection): Session {
    let session = sessions.get(nameOf(connection));
    if (!session) {
      if (sessions.size >= maxLeases) throw new PresenceError('full', 'too many connections');
      sessions.set(nameOf(connection), (session = { channelIds: new Set(), state: undefined }));
    }
    return session;
  }

  function decideAlone(channelId: string, record: Decision['record']): Promise<Decision> {
    if (record) emit({ channelId, record }, false);
    return Promise.resolve({ record, degraded: false });
  }

  async function end(channelId: string, lease: Lease): Promise<Decision> {
    if (!own.has(channelId, lease)) return { record: null, degraded: isDegraded() };
    const record = own.leave(channelId, lease, now());
    if (!remote) return decideAlone(channelId, record);
    const left = remote.leave({ channelId, lease }, record);
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
      checkLease(channelId, lease);
      const initial = sessions.get(nameOf(connection))?.state;
      const entry = { channelId, lease, state, ...(initial ? { initial } : {}) };
      const local = own.join(entry, now(), Infinity);
      sessionOf(connection).channelIds.add(channelId);
      return remote
        ? remote.join(entry, local)
        : decideAlone(channelId, local.changed ? local.record : null);
    },

    async untrack(channelId, connection) {
      checkOpen();
      const session = sessions.get(nameOf(connection));
      session?.channelIds.delete(channelId);
      if (session?.channelIds.size === 0 && !session.state) sessions.delete(nameOf(connection));
      return end(channelId, leaseOf(connection));
    },

    async untrackAll(connection) {
      checkOpen();
      const session = sessions.get(nameOf(connection));
      sessions.delete(nameOf(connection));
      const lease = leaseOf(connection);
      await Promise.all([...(session?.channelIds ?? [])].map((channelId) => end(channelId, lease)));
    },

    async set(connection, given) {
      checkOpen();
      const state = parseState(given);
      checkLease('any', leaseOf(connection));
      const session = sessionOf(connection);
      session.state = state;
      const { agentId } = connection;
      await Promise.all(
        [...session.channelIds].map((channelId) => {
          const record = own.update(channelId, agentId, state, now());
          return remote
            ? remote.set({ channelId, agentId, state }, record)
            : decideAlone(channelId, record);
        }),
      );
    },

    async get(channelId, agentId) {
      checkOpen();
      const mine = () => own.get(channelId, agentId, now());
      if (!remote) return { presence: mine(), degraded: false };
      const [presence, degraded] = await remote.read(
        () => remote.store.get(channelId, agentId),
        mine,
      );
      return { presence, degraded };
    },

    async list(channelId, options = {}) {
      checkOpen();
      const { cursor, limit, unreaped } = parsePage(options);
      const mine = () => own.list(channelId, cursor, limit, now());
      if (!remote) return { ...mine(), degraded: false };
      const [page, degraded] = await remote.read(
        () => remote.store.list(channelId, { cursor: cursor || null, limit, unreaped }),
        mine,
      );
      return { ...page, degraded };
    },

    watch: (channelId) => remote?.watch(channelId) ?? (() => {}),

    onChange: changeListeners.add,
    onDegraded: degradedListeners.add,
    onWiped: wipedListeners.add,

    stats: () => ({
      leases: own.size,
      waiting: remote?.waiting() ?? 0,
      late: remote?.late() ?? 0,
      degraded: isDegraded(),
    }),

    async close() {
      if (closed) return;
      closed = true;
      remote?.stop();
      for (;;) {
        const some: RenewEntry[] = [];
        for (const entry of own.entries()) {
          if (some.push(entry) === closingMax) break;
        }
        if (some.length === 0) break;
        await Promise.all(some.map(({ channelId, lease }) => end(channelId, lease)));
      }
      await Promise.allSettled(leaving);
      await remote?.close();
      sessions.clear();
      changeListeners.clear();
      degradedListeners.clear();
      wipedListeners.clear();
    },
  };
}
