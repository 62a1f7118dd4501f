import type { ParamsOf } from '@openclaw/protocol';
import {
  refuse,
  type Actor,
  type AppendedEvent,
  type Command,
  type Expiry,
  type Outcome,
  type ReadJsonOutcome,
  type ReadMethod,
  type ReadOutcome,
  type WriteMethod,
} from './commands.ts';
import type { Access } from './core/access.ts';
import { coreCalls, coreMethods, type CoreCall, type CoreMethod } from './core/core-calls.ts';
import { observeCore, refuseNewerSchema, type DatabaseCall } from './core/watched-core.ts';
import type { Swept } from './core/retention.ts';
import type { LogPage } from './core/read/log.ts';
import { refusalOf } from './core/run-group.ts';
import type { StoreCore } from './core/store-core.ts';
import { ChatStoreError, runtimeError } from './errors.ts';
import { createFairLane } from './fair-lane.ts';
import { createGroupCommit } from './group-commit.ts';
import {
  lookUpsAtOnce,
  parseOptions,
  type ChatStoreOptions,
  type ParsedOptions,
} from './options.ts';
import { startSweeper } from './sweeper.ts';

/** A pino logger fits. */
export interface ChatStoreLogger {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface ChatStoreDeps {
  readonly logger?: ChatStoreLogger;
  readonly onGroup?: (group: { readonly size: number; readonly durationMs: number }) => void;
  /**
   * For metrics. Called when the database has answered or failed a call. Not called for answers after the timeout, nor
   * for refusals by the store's own limits.
   */
  readonly onCall?: (call: DatabaseCall) => void;
  /** Called for each new TLS connection to PostgreSQL, for metrics. */
  readonly onCertificate?: (certificate: { readonly expiresAtMs: number }) => void;
  readonly onSweep?: (swept: Swept) => void;
}

export interface PoolConnections {
  readonly open: number;
  readonly idle: number;
  readonly waiting: number;
}

export interface StoreHealth {
  readonly status: 'ok' | 'down';
  readonly engine: 'sqlite' | 'postgres';
  /** How long the check's query took; null while the database is down. */
  readonly latencyMs: number | null;
  readonly queueLength: number;
}

const ownCalls = [
  'runGroup',
  'sweep',
  'feedSearch',
  'epoch',
  'read',
  'readJson',
  'access',
  'logPage',
] as const;
type ForwardedCall = Exclude<CoreMethod, (typeof ownCalls)[number]>;
const isForwarded = (method: CoreMethod): method is ForwardedCall =>
  !(ownCalls as readonly CoreMethod[]).includes(method);

/** The chat hub's log and its projections. Every call ends within `timeoutMs`. */
export interface ChatStore extends Pick<StoreCore, ForwardedCall | 'close'> {
  /** The epoch that the store last read from the database. A restore changes the database's epoch. */
  readonly epoch: string;
  /**
   * Null until a newer release has migrated the database. After that, a sentence that says so, and every call is
   * refused with `unavailable`. A store that sends heartbeats notices the migration within two heartbeats.
   */
  readonly newerSchema: string | null;
  readonly queueLength: number;
  readonly waitingReads: number;
  /** The connections to PostgreSQL of the pools `reads` and `system`; empty on SQLite. */
  readonly pools: Readonly<Record<string, PoolConnections>>;
  /**
   * Decides and commits one write. Several writes may share one commit, and they take effect in the order of the calls.
   * Never rejects: a refusal is a value. `ok` means that the change is committed.
   */
  append<M extends WriteMethod>(actor: Actor, method: M, params: ParamsOf<M>): Promise<Outcome<M>>;
  /**
   * Answers from one snapshot, including the rights check. Never rejects. The reads of each agent wait in a queue of
   * their own, and the queues take turns. `turnOf` names the agent whose queue is used instead. If it is null, the read
   * is the hub's own and goes first.
   */
  read<M extends ReadMethod>(
    actor: Actor,
    method: M,
    params: ParamsOf<M>,
    turnOf?: string | null,
  ): Promise<ReadOutcome<M>>;
  /** Like `read`, but the result is JSON; see StoreCore. */
  readJson<M extends ReadMethod>(
    actor: Actor,
    method: M,
    params: ParamsOf<M>,
    maxBytes?: number,
    turnOf?: string | null,
  ): Promise<ReadJsonOutcome>;
  /**
   * Resolves with the agent's relation to each channel. Waits in the queue of the agent or of `turnOf`, like `read`.
   */
  access(
    agentId: string,
    channelIds: readonly string[],
    turnOf?: string | null,
  ): Promise<Map<string, Access>>;
  /**
   * Resolves with the events after a seq, and the head. Checks no rights. Without `turnOf`, the read is the hub's own
   * and goes first.
   */
  logPage(
    channelId: string,
    after: number,
    limit: number,
    maxBytes: number,
    turnOf?: string | null,
  ): Promise<LogPage>;
  /**
   * Logs the expiry of a due ask or question, at most once, and returns the events to publish. Never rejects: if it
   * fails, the expiry stays due.
   */
  expire(expiry: Expiry): Promise<readonly AppendedEvent[]>;
  /** Checks the database by a small query. Never rejects. */
  health(): Promise<StoreHealth>;
}

const warnEveryMs = 10_000;

const behindPause = { factor: 1, minMs: 5 };
/** The pause is three times as long as the work: indexing older messages and sweeping segments. */
const backfillPause = { factor: 3, minMs: 5 };

/**
 * For tail checks, beats, the reaper and health checks. These calls never wait: if 32 are running, a further call is
 * refused.
 */
const systemLane = { width: 32, widthPerAgent: 32, maxCalls: 32 };

/** A single agent, or the hub itself, always leaves one slot for others. */
const lookUpWidths = { width: lookUpsAtOnce, widthPerAgent: lookUpsAtOnce - 1 };

/** SQLite answers one read at a time, so a few waiting reads keep its thread busy. */
function readWidths(engine: 'sqlite' | 'postgres', poolSize: number) {
  const width = engine === 'sqlite' ? 4 : poolSize;
  return { width, widthPerAgent: Math.max(1, Math.min(2, width - 1)) };
}

/**
 * Opens the database, creates or migrates its schema, and resolves with the store.
 * @throws {ChatStoreError} `invalid_options`, `unavailable`, `locked`, `unwritable`, `corrupt`, `unauthorized`,
 * `newer_schema`
 */
export async function createChatStore(
  options: ChatStoreOptions,
  deps: ChatStoreDeps = {},
): Promise<ChatStore> {
  const parsed = parseOptions(options);
  const { timeoutMs, maxReads, target } = parsed;
  const pools = new Map<string, () => PoolConnections>();
  const opened = await openCore(parsed, deps, (name, read) => pools.set(name, read));
  const guarded = refuseNewerSchema(opened);
  const core = deps.onCall ? observeCore(guarded.core, deps.onCall) : guarded.core;
  let epoch = await core.epoch().catch(async (error: unknown) => {
    await core.close();
    throw runtimeError(error);
  });
  let epochs = 0;
  let isClosed = false;

  let warnedAtMs = -Infinity;
  /** Failures of the database are logged, at most every ten seconds. */
  function refused(error: unknown) {
    const failure = runtimeError(error);
    const isOwnFault = failure.code === 'closed' || failure.code === 'rate_limited';
    if (!isOwnFault && performance.now() - warnedAtMs >= warnEveryMs) {
      warnedAtMs = performance.now();
      deps.logger?.warn({ err: failure }, 'calls are refused: the database failed');
    }
    return refusalOf(failure);
  }

  const queue = createGroupCommit<Command, Outcome>(
    {
      run: (commands) => core.runGroup(commands, { turnLimit: parsed.turnLimit }),
      sizeOf,
      refused: (reason) =>
        reason === 'queue full'
          ? refuse('unavailable', 'too many writes are waiting', 500)
          : refuse('unavailable', `the database takes no writes: ${reason}`, 1000),
      timedOut: () =>
        refuse('timeout', `no commit within ${timeoutMs} ms: the write may still happen`),
      failed: refused,
      onGroup: (size, durationMs) => deps.onGroup?.({ size, durationMs }),
    },
    parsed,
  );

  const systemCalls = createFairLane({ ...systemLane, timeoutMs });
  const reads = createFairLane({
    ...readWidths(target.engine, parsed.poolSize),
    maxCalls: maxReads,
    timeoutMs,
  });
  const lookUps = createFairLane({ ...lookUpWidths, maxCalls: maxReads, timeoutMs });
  // A call that still waits when the store closes must not be made.
  const whileOpen =
    <T>(call: () => Promise<T>) =>
    async () => {
      if (isClosed) throw new ChatStoreError('closed', 'the store is closed');
      return call();
    };
  const agentRead = <T>(agentId: string | null, call: () => Promise<T>) =>
    reads.run(agentId, whileOpen(call)).catch(refused);
  const lookUp = <T>(agentId: string | null, call: () => Promise<T>) =>
    lookUps.run(agentId, whileOpen(call));

  const forward = (method: ForwardedCall): CoreCall => {
    const { kind, agentOf } = coreCalls[method];
    const call = core[method] as CoreCall;
    const agentOfCall = agentOf as ((...args: readonly unknown[]) => string) | undefined;
    return (...args) => {
      const made = whileOpen(() => call(...args));
      if (kind === 'look_up') return lookUps.run(agentOfCall?.(...args) ?? null, made);
      return systemCalls.run(null, made, kind === 'write' ? 'timeout' : 'unavailable');
    };
  };
  const forwarded = Object.fromEntries(
    coreMethods.filter(isForwarded).map((method) => [method, forward(method)]),
  ) as unknown as Pick<StoreCore, ForwardedCall>;

  const stopSweeper = startSweeper(async () => {
    const { retention, sweepEveryMs, auditRetentionMs } = parsed;
    const swept = await core.sweep(retention, sweepEveryMs, auditRetentionMs);
    deps.onSweep?.(swept);
    return swept.isMore;
  }, parsed.sweepEveryMs);
  let isBehind = false;
  const stopFeeding = startSweeper(
    async () => {
      const fed = await core.feedSearch();
      ({ isBehind } = fed);
      return fed.isBehind || fed.isMore;
    },
    parsed.searchEveryMs,
    // New messages are indexed within a second. Older ones give way to other work.
    () => (isBehind ? behindPause : backfillPause),
  );

  return {
    ...forwarded,
    get epoch() {
      return epoch;
    },
    get newerSchema() {
      return guarded.reason();
    },
    get queueLength() {
      return queue.queueLength;
    },
    async append<M extends WriteMethod>(actor: Actor, method: M, params: ParamsOf<M>) {
      const outcome = await queue.submit({ actor, method, params } as unknown as Command);
      return outcome as Outcome<M>;
    },
    async expire(expiry) {
      const outcome = await queue.submit({ method: 'expire', params: expiry });
      return outcome.ok ? outcome.events : [];
    },
    get waitingReads() {
      return reads.waiting + lookUps.waiting;
    },
    get pools() {
      return Object.fromEntries([...pools].map(([name, read]) => [name, read()]));
    },
    read: (actor, method, params, turnOf = actor.agentId) =>
      agentRead(turnOf, () => core.read(actor, method, params)),
    readJson: (actor, method, params, maxBytes, turnOf = actor.agentId) =>
      agentRead(turnOf, () => core.readJson(actor, method, params, maxBytes)),
    access: (agentId, channelIds, turnOf = agentId) =>
      lookUp(turnOf, () => core.access(agentId, channelIds)),
    logPage: (channelId, after, limit, maxBytes, turnOf = null) =>
      lookUp(turnOf, () => core.logPage(channelId, after, limit, maxBytes)),
    async changes(since) {
      const known = epochs;
      const changes = await forwarded.changes(since);
      // If the epoch changed during the call, the answer may hold the earlier epoch.
      if (known === epochs) epoch = changes.epoch;
      return changes;
    },
    async changeEpoch(expected) {
      const current = await forwarded.changeEpoch(expected);
      epochs += 1;
      return (epoch = current);
    },
    async health() {
      const startMs = performance.now();
      const state = await systemCalls.run(null, whileOpen(core.epoch)).then(
        () => ({ status: 'ok' as const, latencyMs: performance.now() - startMs }),
        () => ({ status: 'down' as const, latencyMs: null }),
      );
      return { ...state, engine: target.engine, queueLength: queue.queueLength };
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await Promise.all([queue.close(), stopSweeper(), stopFeeding()]);
      await core.close();
    },
  };
}

async function openCore(
  options: ParsedOptions,
  deps: ChatStoreDeps,
  onPool: (name: string, read: () => PoolConnections) => void,
): Promise<StoreCore> {
  const onFault = (fault: string, doing: string) =>
    deps.logger?.error({ fault, doing }, 'a bug in the chat store');
  if (options.target.engine === 'sqlite') {
    const { openSqliteCore } = await import('./sqlite/sqlite-core.ts');
    return openSqliteCore({ ...options, path: options.target.path }, onFault);
  }
  const { openPostgresCore } = await import('./postgres/postgres-core.ts');
  const { onCertificate } = deps;
  return openPostgresCore({ ...options, url: options.target.url, onCertificate }, onFault, onPool);
}

/** Estimates the memory of a command. The queue and its groups are limited by this estimate. */
function sizeOf({ params }: Command): number {
  let size = 256;
  if ('content' in params) size += params.content?.length ?? 0;
  if ('metadata' in params && params.metadata) size += JSON.stringify(params.metadata).length;
  if ('cause' in params) size += 128 * params.cause.length;
  if ('taint' in params) for (const taint of params.taint) size += taint.length;
  if ('options' in params) size += JSON.stringify(params.options).length;
  if ('text' in params && params.text) size += params.text.length;
  if ('payload' in params) size += JSON.stringify(params.payload).length;
  return size;
}
