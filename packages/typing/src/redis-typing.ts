import type { KeySchema } from '@openclaw/key-schema';
import {
  defineScript,
  type RedisClient,
  type Script,
  type ScriptCall,
} from '@openclaw/redis-client';
import { toUnavailable, TypingError } from './errors.ts';
import { listLua, remainingLua, startLua, stopLua } from './lua.gen.ts';
import { checkTyper } from './memory-typing.ts';
import { parseOptions, type TypingOptions } from './options.ts';
import { listMax, type Typer, type Typing } from './typing.ts';

const scripts = {
  start: defineScript('typing.start', startLua),
  stop: defineScript('typing.stop', stopLua),
  list: defineScript('typing.list', listLua),
  remaining: defineScript('typing.remaining', remainingLua),
} as const;

/** The most agents that one script call is asked about. */
const batchMax = 200;

/** What typing on Redis is made of. */
export interface RedisTypingDeps {
  readonly redis: Pick<RedisClient, 'run' | 'pipeline'>;
  readonly keys: KeySchema;
}

/**
 * Typing on Redis: one zset per channel. Each call is one script and one round trip, ends within the client's timeout
 * and fails with `unavailable` while Redis is away.
 * @throws {TypingError} `invalid_options`
 */
export function createRedisTyping(
  { redis, keys }: RedisTypingDeps,
  options: TypingOptions = {},
): Typing {
  const { ttlMs } = parseOptions(options);
  const { clock } = options;
  let closed = false;

  function callOf(
    script: Script,
    channelId: string,
    args: readonly (string | number)[],
  ): ScriptCall {
    if (closed) throw new TypingError('closed', 'typing was closed');
    const now = clock ? Math.floor(clock()) : '';
    return { script, keys: [keys.typing(channelId)], args: [now, ttlMs, ...args] };
  }

  async function run(...call: Parameters<typeof callOf>): Promise<unknown> {
    const made = callOf(...call);
    return redis.run(made).catch((error: unknown) => {
      throw toUnavailable(error);
    });
  }

  /** Last start and remaining time of each, in one round trip, one script call per channel and two hundred agents. */
  async function times(typers: readonly Typer[]): Promise<[lastMs: number, remainingMs: number][]> {
    const batches: { channelId: string; places: number[] }[] = [];
    const open = new Map<string, number[]>();
    typers.forEach(({ channelId }, place) => {
      let places = open.get(channelId);
      if (!places || places.length === batchMax) {
        open.set(channelId, (places = []));
        batches.push({ channelId, places });
      }
      places.push(place);
    });
    const found = typers.map((): [number, number] => [0, 0]);
    if (batches.length === 0) return found;
    const calls = batches.map(({ channelId, places }) =>
      callOf(
        scripts.remaining,
        channelId,
        places.map((place) => checkTyper(typers[place]!).agentId),
      ),
    );
    const replies = await redis.pipeline(calls).catch((error: unknown) => {
      throw toUnavailable(error);
    });
    replies.forEach((reply, at) => {
      if (reply instanceof Error) throw toUnavailable(reply);
      const flat = reply as number[];
      batches[at]!.places.forEach((place, index) => {
        found[place] = [flat[2 * index]!, flat[2 * index + 1]!];
      });
    });
    return found;
  }

  return {
    start: async (channelId, agentId) =>
      (await run(scripts.start, channelId, [checkTyper({ channelId, agentId }).agentId])) === 1,
    stop: async (channelId, agentId) =>
      (await run(scripts.stop, channelId, [checkTyper({ channelId, agentId }).agentId])) === 1,
    list: async (channelId) => (await run(scripts.list, channelId, [listMax])) as string[],
    async lastStartMs(channelId, agentId) {
      const [[lastMs] = [0]] = await times([{ channelId, agentId }]);
      return lastMs === 0 ? null : lastMs;
    },
    remainingMs: async (typers) => (await times(typers)).map(([, remainingMs]) => remainingMs),
    async close() {
      closed = true;
    },
  };
}
