import { encodeRosterMember, isNameId, KeySchemaError } from '@openclaw/key-schema';
import { PresenceError } from './errors.ts';
import { parseOptions, type MemoryLeaseStoreOptions } from './options.ts';
import { parsePage } from './page.ts';
import type { Lease, LeaseStore, PresenceChange } from './presence.ts';
import { createRoster } from './roster.ts';

/** Refuses the ids that could not stand in a Redis name, so that both implementations refuse the same. */
export function checkLease(channelId: string, lease: Lease): void {
  checkId(channelId);
  encodeRosterMember(lease);
}

function checkId(id: string): void {
  if (!isNameId(id)) throw new KeySchemaError('invalid_id', `not an id: ${JSON.stringify(id)}`);
}

/**
 * Presence within one process, without Redis. Same results as {@link createRedisLeaseStore}; bounded by `maxLeases`.
 * @throws {PresenceError} `invalid_options`
 */
export function createMemoryLeaseStore(options: MemoryLeaseStoreOptions = {}): LeaseStore {
  const { leaseMs, maxLeases } = parseOptions(options);
  const { clock = Date.now } = options;
  const roster = createRoster(maxLeases);
  let closed = false;

  const open = <T>(work: (nowMs: number) => T): Promise<T> =>
    new Promise((resolve) => {
      if (closed) throw new PresenceError('closed', 'presence was closed');
      resolve(work(Math.floor(clock())));
    });

  /** One entry's failure is its own, but what no entry could cure fails the call. */
  const each = <E, T>(entries: readonly E[], work: (entry: E, nowMs: number) => T) =>
    open((nowMs) =>
      entries.map((entry) => {
        try {
          return work(entry, nowMs);
        } catch (error) {
          if (error instanceof PresenceError && error.code === 'full') return error;
          throw error;
        }
      }),
    );

  return {
    async join(channelId, lease, state = {}) {
      const { record, changed } = await open((nowMs) => {
        checkLease(channelId, lease);
        return roster.join({ channelId, lease, state }, nowMs, nowMs + leaseMs);
      });
      return changed ? record : null;
    },
    joinMany: (entries) =>
      each(entries, (entry, nowMs) => {
        checkLease(entry.channelId, entry.lease);
        return roster.join(entry, nowMs, nowMs + leaseMs);
      }),
    update: (channelIds, agentId, state) =>
      open((nowMs) =>
        channelIds.flatMap((channelId): PresenceChange[] => {
          checkId(channelId);
          const record = roster.update(channelId, agentId, state, nowMs);
          return record ? [{ channelId, record }] : [];
        }),
      ),
    updateMany: (entries) =>
      each(entries, ({ channelId, agentId, state }, nowMs) => {
        checkId(channelId);
        return roster.update(channelId, agentId, state, nowMs);
      }),
    renew: (entries) =>
      open((nowMs) =>
        entries.flatMap((entry) => {
          checkLease(entry.channelId, entry.lease);
          return roster.renew(entry, nowMs, nowMs + leaseMs);
        }),
      ),
    leave: (channelId, lease) => open((nowMs) => roster.leave(channelId, lease, nowMs)),
    leaveMany: (entries) =>
      each(entries, ({ channelId, lease }, nowMs) => roster.leave(channelId, lease, nowMs)),
    get: (channelId, agentId) => open((nowMs) => roster.get(channelId, agentId, nowMs)),
    list: (channelId, page = {}) =>
      open((nowMs) => {
        const { cursor, limit, unreaped } = parsePage(page);
        return roster.list(channelId, cursor, limit, nowMs, unreaped ? 0 : nowMs);
      }),
    reap: (channelIds) =>
      open((nowMs) =>
        channelIds.flatMap((channelId) =>
          roster.reap(channelId, nowMs).map((record) => ({ channelId, record })),
        ),
      ),
    async close() {
      closed = true;
    },
  };
}
