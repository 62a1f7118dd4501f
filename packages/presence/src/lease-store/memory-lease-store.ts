import { PresenceError } from '../errors.ts';
import { parseOptions, type MemoryLeaseStoreOptions } from '../options.ts';
import { checkId, checkLease, parsePage, withSingleCalls, type LeaseStore } from './lease-store.ts';
import { createLocalLeases } from './local-leases.ts';

/**
 * A lease store within one process, without Redis. It answers as {@link createRedisLeaseStore} does.
 * @throws {PresenceError} `invalid_options`
 */
export function createMemoryLeaseStore(options: MemoryLeaseStoreOptions = {}): LeaseStore {
  const { leaseMs, maxLeases } = parseOptions(options);
  const { clock = Date.now } = options;
  const leases = createLocalLeases(maxLeases);
  let closed = false;

  /** Rejects if `work` throws or the store is closed. */
  async function run<T>(work: (nowMs: number) => T): Promise<T> {
    if (closed) throw new PresenceError('closed', 'presence was closed');
    return work(Math.floor(clock()));
  }

  /** `full` concerns one entry; any other error fails the whole call, as it does in Redis. */
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
