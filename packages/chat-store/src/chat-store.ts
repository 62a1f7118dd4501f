import type { ParamsOf } from '@openclaw/protocol';
import { createCallLane, type CallLane } from './call-lane.ts';
import {
  refuse,
  type Actor,
  type Command,
  type Outcome,
  type ReadMethod,
  type WriteMethod,
} from './commands.ts';
import { refusalOf } from './core/run-group.ts';
import type { StoreCore } from './core/store-core.ts';
import { ChatStoreError } from './errors.ts';
import { createGroupCommit } from './group-commit.ts';
import { createPace } from './group-pace.ts';
import { parseOptions, type ChatStoreOptions, type ParsedOptions } from './options.ts';
import { runtimeError } from './runtime-error.ts';
import { startSweeper } from './sweeper.ts';
import { sizeOf } from './size-of.ts';

/** Takes warnings; pino's loggers fit. */
export interface ChatStoreLogger {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** What a store works with; all of it optional. */
export interface ChatStoreDeps {
  readonly logger?: ChatStoreLogger;
  /** Told of each group when it has settled: for metrics. */
  readonly onGroup?: (group: { readonly size: number; readonly durationMs: number }) => void;
}

/** Whether the database answers. */
export interface StoreHealth {
  readonly status: 'ok' | 'down';
  readonly engine: 'sqlite' | 'postgres';
  /** Null while it is down. */
  readonly latencyMs: number | null;
  readonly queueLength: number;
}

/** The chat hub's log and its projections. Every call ends within `timeoutMs`. */
export interface ChatStore extends Omit<StoreCore, 'runGroup' | 'epoch' | 'sweep'> {
  /** The name of the database's life, as last seen: it changes when a backup is restored. */
  readonly epoch: string;
  /** Commands that wait for their group. */
  readonly queueLength: number;
  /**
   * Decides and commits one write, in a group with others; writes take effect in the order of these calls. Never
   * rejects: a refusal is an answer. When it resolves with `ok`, the change is committed.
   */
  append<M extends WriteMethod>(actor: Actor, method: M, params: ParamsOf<M>): Promise<Outcome<M>>;
  /** Asks the database something small. Never rejects. */
  health(): Promise<StoreHealth>;
}

/** How often, at most, the log says why the database fails. */
const warnEveryMs = 10_000;

/** Calls that keep the hub going, at once at most: a tail check, a beat, a reaper, and whoever asks for its health. */
const vitalWidth = 32;

/**
 * Opens the database, makes or migrates its schema, and resolves with the store.
 * @throws {ChatStoreError} `invalid_options`, `unavailable`, `locked`, `unwritable`, `corrupt`, `unauthorized`, `newer_schema`
 */
export async function createChatStore(
  options: ChatStoreOptions,
  deps: ChatStoreDeps = {},
): Promise<ChatStore> {
  const parsed = parseOptions(options);
  const { timeoutMs, maxReads, target } = parsed;
  const core = await openCore(parsed, deps);
  let epoch = await core.epoch().catch(async (error: unknown) => {
    await core.close();
    throw runtimeError(error);
  });
  let epochs = 0;
  let isClosed = false;

  let warnedAtMs = -Infinity;
  /** The refusal of a call that the database failed; the log says why, now and then. */
  function refused(error: unknown) {
    const failure = runtimeError(error);
    if (failure.code !== 'closed' && performance.now() - warnedAtMs >= warnEveryMs) {
      warnedAtMs = performance.now();
      deps.logger?.warn({ err: failure }, 'calls are refused: the database failed');
    }
    return refusalOf(failure);
  }

  const queue = createGroupCommit<Command, Outcome>(
    {
      run: (commands) => core.runGroup(commands),
      sizeOf,
      refused: (reason) =>
        reason === 'queue full'
          ? refuse('unavailable', 'too many writes are waiting', 500)
          : refuse('unavailable', `the database takes no writes: ${reason}`, 1000),
      timedOut: () => refuse('timeout', `no commit within ${timeoutMs} ms: it may have happened`),
      failed: refused,
      onGroup: (size, durationMs) => deps.onGroup?.({ size, durationMs }),
    },
    { ...parsed, pace: createPace(parsed) },
  );

  const usual = createCallLane(maxReads, timeoutMs);
  const vital = createCallLane(vitalWidth, timeoutMs);
  async function inLane<T>(
    lane: CallLane,
    call: () => Promise<T>,
    late: 'unavailable' | 'timeout',
  ) {
    if (isClosed) throw new ChatStoreError('closed', 'the store is closed');
    return lane.run(call, late);
  }
  const asked = <T>(call: () => Promise<T>) => inLane(usual, call, 'unavailable');
  const written = <T>(call: () => Promise<T>) => inLane(usual, call, 'timeout');
  const askedFirst = <T>(call: () => Promise<T>) => inLane(vital, call, 'unavailable');
  const writtenFirst = <T>(call: () => Promise<T>) => inLane(vital, call, 'timeout');

  const stopSweeper = startSweeper(() => core.sweep());

  return {
    get epoch() {
      return epoch;
    },
    get queueLength() {
      return queue.queueLength;
    },
    async append<M extends WriteMethod>(actor: Actor, method: M, params: ParamsOf<M>) {
      const outcome = await queue.submit({ actor, method, params } as unknown as Command);
      return outcome as Outcome<M>;
    },
    async read<M extends ReadMethod>(actor: Actor, method: M, params: ParamsOf<M>) {
      try {
        return await asked(() => core.read(actor, method, params));
      } catch (error) {
        return refused(error);
      }
    },
    access: (agentId, channelIds) => asked(() => core.access(agentId, channelIds)),
    logPage: (channelId, after, limit, maxBytes) =>
      asked(() => core.logPage(channelId, after, limit, maxBytes)),
    directChannels: (agentId, limit) => asked(() => core.directChannels(agentId, limit)),
    async changes(sinceMark) {
      const known = epochs;
      const changes = await askedFirst(() => core.changes(sinceMark));
      // Unless it was changed meanwhile: then this answer may be the older one.
      if (known === epochs) epoch = changes.epoch;
      return changes;
    },
    heads: (channelIds) => askedFirst(() => core.heads(channelIds)),
    recentHeads: (limit) => askedFirst(() => core.recentHeads(limit)),
    beat: (hubId, isCutOff) => writtenFirst(() => core.beat(hubId, isCutOff)),
    cutOffHubs: (hubIds) => askedFirst(() => core.cutOffHubs(hubIds)),
    hubs: () => asked(() => core.hubs()),
    revoke: (target) => written(() => core.revoke(target)),
    isRevoked: (token) => asked(() => core.isRevoked(token)),
    async changeEpoch(expected) {
      const current = await writtenFirst(() => core.changeEpoch(expected));
      epochs += 1;
      return (epoch = current);
    },
    async health() {
      const startMs = performance.now();
      const state = await askedFirst(() => core.epoch()).then(
        () => ({ status: 'ok' as const, latencyMs: performance.now() - startMs }),
        () => ({ status: 'down' as const, latencyMs: null }),
      );
      return { ...state, engine: target.engine, queueLength: queue.queueLength };
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      stopSweeper();
      await queue.close();
      await core.close();
    },
  };
}

// Each engine is loaded only where it is used: neither pg nor node:sqlite is needed by the other.
async function openCore(options: ParsedOptions, deps: ChatStoreDeps): Promise<StoreCore> {
  const onFault = (fault: string, doing: string) =>
    deps.logger?.error({ fault, doing }, 'a fault in the chat store');
  if (options.target.engine === 'sqlite') {
    const { openSqliteCore } = await import('./sqlite/sqlite-core.ts');
    return openSqliteCore({ ...options, path: options.target.path }, onFault);
  }
  const { openPostgresCore } = await import('./postgres/postgres-core.ts');
  return openPostgresCore({ ...options, url: options.target.url }, onFault);
}
