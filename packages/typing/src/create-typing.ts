import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import { isDeniedCall, TypingError } from './errors.ts';
import { checkTyper } from './memory-typing.ts';
import { parseOptions, type TypingOptions } from './options.ts';
import { createRedisTyping } from './redis-typing.ts';
import type { Typer } from './typing.ts';
import { createTypists } from './typists.ts';

/** What {@link createTyping} works with. Without `redis` it keeps typing in memory, for this process alone. */
export interface TypingDeps {
  readonly redis?: RedisClient;
  /** @default createKeySchema() */
  readonly keys?: KeySchema;
}

/** What a call came to; `degraded`: Redis is away or takes no writes, and this process alone was asked. */
export interface TypingDecision {
  readonly changed: boolean;
  readonly degraded: boolean;
}

/** Typing that goes on with what this process knows while Redis is away. */
export interface SharedTyping {
  /** True while Redis is away, takes no writes, or denied a call within the last ten seconds. Never true without Redis. */
  readonly degraded: boolean;
  /** The agent types; `changed` false: a refresh, of which nobody need hear. */
  start(channelId: string, agentId: string): Promise<TypingDecision>;
  /** The agent types no more; `changed`: it did until now. */
  stop(channelId: string, agentId: string): Promise<TypingDecision>;
  /** A connection of the agent is gone: stops it wherever it typed through this process. Resolves with where it did. */
  stopAll(agentId: string): Promise<{ channelIds: string[]; degraded: boolean }>;
  /** Who types, whoever typed last at the end; at most 1,000. */
  list(channelId: string): Promise<{ agents: string[]; degraded: boolean }>;
  /** For {@link createTypingWatch}: of each, the ms until it counts as stopped; 0: it does not type. */
  remainingMs(typers: readonly Typer[]): Promise<number[]>;
  /** Later calls reject with `closed`. */
  close(): Promise<void>;
}

/**
 * Makes {@link SharedTyping}. Does not wait for Redis. When Redis comes back, who types is known there with its next
 * refresh.
 * @throws {TypingError} `invalid_options`
 */
export function createTyping(deps: TypingDeps = {}, options: TypingOptions = {}): SharedTyping {
  const { ttlMs, maxTypers } = parseOptions(options);
  const { clock = Date.now } = options;
  const { redis, keys = createKeySchema() } = deps;
  const remote = redis ? createRedisTyping({ redis, keys }, options) : null;
  // Everything that goes through this process, so that an outage begins with what is known.
  const own = createTypists(ttlMs, maxTypers);
  const now = () => Math.floor(clock());
  let closed = false;
  // What Redis would not take (an ACL denies it) is missing there for as long as it would have lasted: until then what is
  // read there is not the truth of this process.
  let deniedUntilMs = -Infinity;
  const isDenied = () => now() < deniedUntilMs;

  async function decide<T>(ask: (() => Promise<T>) | null, known: () => T): Promise<[T, boolean]> {
    if (!redis || !ask) return [known(), false];
    if (redis.available || redis.connecting) {
      try {
        return [await ask(), false];
      } catch (error) {
        if (!(error instanceof TypingError && error.code === 'unavailable')) throw error;
        if (isDeniedCall(error)) deniedUntilMs = now() + ttlMs;
      }
    }
    return [known(), true];
  }

  /** As {@link decide}, for what only reads. */
  const read: typeof decide = async (ask, known) =>
    isDenied() ? [known(), true] : decide(ask, known);

  const checkOpen = () => {
    if (closed) throw new TypingError('closed', 'typing was closed');
  };

  async function stop(channelId: string, agentId: string): Promise<TypingDecision> {
    checkOpen();
    const known = own.stop(checkTyper({ channelId, agentId }), now());
    const [changed, degraded] = await decide(
      remote && (() => remote.stop(channelId, agentId)),
      () => known,
    );
    // A start that Redis denied was told all the same, so its stop has to be.
    if (isDenied()) return { changed: changed || known, degraded: true };
    return { changed, degraded };
  }

  const isDegraded = () => redis !== undefined && (!redis.available || isDenied());

  return {
    get degraded() {
      return isDegraded();
    },
    async start(channelId, agentId) {
      checkOpen();
      const known = own.start(checkTyper({ channelId, agentId }), now());
      const [changed, degraded] = await decide(
        remote && (() => remote.start(channelId, agentId)),
        () => known,
      );
      return { changed, degraded };
    },
    stop,
    async stopAll(agentId) {
      checkOpen();
      const channelIds = own.channelIdsOf(agentId, now());
      const stopped = await Promise.all(channelIds.map((channelId) => stop(channelId, agentId)));
      return {
        channelIds: channelIds.filter((_, at) => stopped[at]?.changed),
        degraded: isDegraded() || stopped.some(({ degraded }) => degraded),
      };
    },
    async list(channelId) {
      checkOpen();
      const [agents, degraded] = await read(remote && (() => remote.list(channelId)), () =>
        own.list(channelId, now()),
      );
      return { agents, degraded };
    },
    async remainingMs(typers) {
      checkOpen();
      const [remaining] = await read(remote && (() => remote.remainingMs(typers)), () =>
        typers.map((typer) => own.remainingMs(typer, now())),
      );
      return remaining;
    },
    async close() {
      closed = true;
      await remote?.close();
    },
  };
}
