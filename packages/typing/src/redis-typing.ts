import { checkId, createKeySchema, type KeySchema } from '@openclaw/key-schema';
import {
  defineScript,
  type RedisClient,
  type Script,
  type ScriptCall,
  toBatches,
  toUnavailable,
} from '@openclaw/redis-client';
import { TypingError } from './errors.ts';
import { listLua, remainingLua, startLua, stopLua } from './lua.gen.ts';
import { parseOptions, type TypingOptions } from './options.ts';
import { checkTyper, encodeTyper, listMax, type Typer, type Typing } from './typing.ts';

const scripts = {
  start: defineScript('typing.start', startLua),
  stop: defineScript('typing.stop', stopLua),
  list: defineScript('typing.list', listLua),
  remaining: defineScript('typing.remaining', remainingLua),
} as const;

/** No id equals this text. */
const anywhere = '*';

const batchMax = 200;

export interface RedisTypingDeps {
  readonly redis: Pick<RedisClient, 'run' | 'pipeline'>;
  /** @default createKeySchema() */
  readonly keys?: KeySchema;
}

/**
 * Typing in Redis: one zset per channel, one round trip per call. While Redis is away, calls fail with `unavailable`.
 * @throws {TypingError} `invalid_options`
 */
export function createRedisTyping(
  { redis, keys = createKeySchema() }: RedisTypingDeps,
  options: TypingOptions = {},
): Typing {
  const { ttlMs } = parseOptions(options);
  const { clock } = options;
  let closed = false;

  const checkOpen = () => {
    if (closed) throw new TypingError('closed', 'typing was closed');
  };
  const toCall = (
    script: Script,
    channelId: string,
    args: readonly (string | number)[],
  ): ScriptCall => ({
    script,
    keys: [keys.typing(channelId)],
    args: [clock ? Math.floor(clock()) : '', ttlMs, ...args],
  });
  const fail = (error: unknown) => {
    throw toUnavailable(TypingError, error);
  };

  async function run(...call: Parameters<typeof toCall>): Promise<unknown> {
    checkOpen();
    return redis.run(toCall(...call)).catch(fail);
  }

  const change = async (script: Script, typer: Typer) =>
    (await run(script, typer.channelId, [encodeTyper(checkTyper(typer))])) === 1;

  async function timesOf(
    typers: readonly Typer[],
  ): Promise<[lastMs: number, remainingMs: number][]> {
    checkOpen();
    const batches = toBatches(typers.map(checkTyper), batchMax);
    const times = typers.map((): [number, number] => [0, 0]);
    if (batches.length === 0) return times;
    const calls = batches.map(({ channelId, entries }) =>
      toCall(scripts.remaining, channelId, entries.map(encodeTyper)),
    );
    const replies = await redis.pipeline(calls).catch(fail);
    replies.forEach((reply, at) => {
      if (reply instanceof Error) fail(reply);
      const pairs = reply as number[];
      batches[at]!.positions.forEach((position, index) => {
        times[position] = [pairs[2 * index]!, pairs[2 * index + 1]!];
      });
    });
    return times;
  }

  return {
    start: (channelId, agentId, threadId) =>
      change(scripts.start, { channelId, agentId, threadId }),
    stop: (channelId, agentId, threadId) => change(scripts.stop, { channelId, agentId, threadId }),
    async list(channelId, threadId) {
      const place = threadId === undefined ? anywhere : threadId === null ? '' : checkId(threadId);
      return (await run(scripts.list, channelId, [listMax, place])) as string[];
    },
    async lastStartMs(channelId, agentId, threadId) {
      const [[lastMs] = [0]] = await timesOf([{ channelId, agentId, threadId }]);
      return lastMs === 0 ? null : lastMs;
    },
    remainingMs: async (typers) => (await timesOf(typers)).map(([, remainingMs]) => remainingMs),
    async close() {
      closed = true;
    },
  };
}
