import { checkId, createKeySchema, type KeySchema } from '@openclaw/key-schema';
import { isDenied, type RedisClient, withFallback } from '@openclaw/redis-client';
import { TypingError } from './errors.ts';
import { checkPlace, createTypists } from './memory-typing.ts';
import { parseOptions, type TypingOptions } from './options.ts';
import { createRedisTyping } from './redis-typing.ts';
import { checkTyper, type Typer, type Typing } from './typing.ts';

/** Without `redis`, typing is in the memory of this process. */
export interface TypingDeps {
  readonly redis?: RedisClient;
  /** @default createKeySchema() */
  readonly keys?: KeySchema;
}

export interface TypingDecision {
  readonly changed: boolean;
  /** True when this process decided alone, without Redis. */
  readonly degraded: boolean;
}

/** The main timeline of a channel, or one of its threads. */
export interface TypingPlace {
  readonly channelId: string;
  /** Null: outside of threads. */
  readonly threadId: string | null;
}

/** Typing that continues with this process' data while Redis is away. */
export interface SharedTyping {
  /** True while Redis is away or refuses writes, and for `ttlMs` after it denied a call. Always false without Redis. */
  readonly degraded: boolean;
  /**
   * `changed` is false for a refresh, which need not be announced. Without `threadId`, the agent types outside of
   * threads.
   */
  start(channelId: string, agentId: string, threadId?: string | null): Promise<TypingDecision>;
  /** `changed` is true if the agent was typing there. The agent's typing in other threads continues. */
  stop(channelId: string, agentId: string, threadId?: string | null): Promise<TypingDecision>;
  /** Stops the agent wherever it typed through this process. Resolves with the places where it was typing. */
  stopAll(agentId: string): Promise<{ stopped: TypingPlace[]; degraded: boolean }>;
  /**
   * At most 1,000 agents, latest start last. `threadId`: a thread; null: outside of threads; absent: the whole channel.
   */
  list(
    channelId: string,
    threadId?: string | null,
  ): Promise<{ agents: string[]; degraded: boolean }>;
  /** For {@link createTypingWatch}: the time until each agent stops counting as typing; 0 if it is not typing. */
  remainingMs(typers: readonly Typer[]): Promise<number[]>;
  /** Later calls reject with `closed`. */
  close(): Promise<void>;
}

/**
 * Does not wait for Redis. After an outage, an agent's next refresh writes its typing to Redis.
 * @throws {TypingError} `invalid_options`
 */
export function createTyping(deps: TypingDeps = {}, options: TypingOptions = {}): SharedTyping {
  const { ttlMs, maxTypers } = parseOptions(options);
  const { clock = Date.now } = options;
  const { redis, keys = createKeySchema() } = deps;
  const shared = redis ? { redis, store: createRedisTyping({ redis, keys }, options) } : null;
  const local = createTypists(ttlMs, maxTypers);
  const now = () => Math.floor(clock());
  let closed = false;
  // Redis lacks the starts that an ACL denied. This process answers instead, until those starts have expired.
  let deniedUntilMs = -Infinity;
  const wasDenied = () => now() < deniedUntilMs;
  const isDegraded = () => shared !== null && (!shared.redis.available || wasDenied());

  async function decide<T>(
    fromRedis: (store: Typing) => Promise<T>,
    fromLocal: () => T,
  ): Promise<{ value: T; degraded: boolean }> {
    if (!shared) return { value: fromLocal(), degraded: false };
    return withFallback(
      shared.redis,
      () => fromRedis(shared.store),
      fromLocal,
      (error) => {
        if (isDenied(error)) deniedUntilMs = now() + ttlMs;
        return error instanceof TypingError && error.code === 'unavailable';
      },
    );
  }

  const read: typeof decide = async (fromRedis, fromLocal) =>
    wasDenied() ? { value: fromLocal(), degraded: true } : decide(fromRedis, fromLocal);

  const checkOpen = () => {
    if (closed) throw new TypingError('closed', 'typing was closed');
  };

  async function stop(
    channelId: string,
    agentId: string,
    threadId?: string | null,
  ): Promise<TypingDecision> {
    checkOpen();
    const wasTyping = local.stop(checkTyper({ channelId, agentId, threadId }), now());
    const { value: changed, degraded } = await decide(
      (store) => store.stop(channelId, agentId, threadId),
      () => wasTyping,
    );
    // A denied start was announced, so its stop must be announced too.
    if (wasDenied()) return { changed: changed || wasTyping, degraded: true };
    return { changed, degraded };
  }

  return {
    get degraded() {
      return isDegraded();
    },
    async start(channelId, agentId, threadId) {
      checkOpen();
      const isNew = local.start(checkTyper({ channelId, agentId, threadId }), now());
      const { value: changed, degraded } = await decide(
        (store) => store.start(channelId, agentId, threadId),
        () => isNew,
      );
      return { changed, degraded };
    },
    stop,
    async stopAll(agentId) {
      checkOpen();
      checkId(agentId);
      const places = local.typersOf(agentId, now());
      const stops = await Promise.all(
        places.map(({ channelId, threadId }) => stop(channelId, agentId, threadId)),
      );
      return {
        stopped: places
          .filter((_, at) => stops[at]?.changed)
          .map(({ channelId, threadId }) => ({ channelId, threadId })),
        degraded: isDegraded() || stops.some(({ degraded }) => degraded),
      };
    },
    async list(channelId, threadId) {
      checkOpen();
      checkId(channelId);
      checkPlace(threadId);
      const { value: agents, degraded } = await read(
        (store) => store.list(channelId, threadId),
        () => local.list(channelId, threadId, now()),
      );
      return { agents, degraded };
    },
    async remainingMs(typers) {
      checkOpen();
      const checked = typers.map(checkTyper);
      const { value } = await read(
        (store) => store.remainingMs(typers),
        () => checked.map((typer) => local.remainingMs(typer, now())),
      );
      return value;
    },
    async close() {
      closed = true;
      await shared?.store.close();
    },
  };
}
