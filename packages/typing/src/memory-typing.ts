import { isNameId, KeySchemaError } from '@openclaw/key-schema';
import { TypingError } from './errors.ts';
import { parseOptions, type TypingOptions } from './options.ts';
import type { Typer, Typing } from './typing.ts';
import { createTypists } from './typists.ts';

/** Refuses the ids that could not stand in a Redis name, so that both implementations refuse the same. */
export function checkTyper({ channelId, agentId }: Typer): Typer {
  for (const id of [channelId, agentId]) {
    if (!isNameId(id)) throw new KeySchemaError('invalid_id', `not an id: ${JSON.stringify(id)}`);
  }
  return { channelId, agentId };
}

/**
 * Typing within one process, without Redis. Same results as {@link createRedisTyping}; bounded by `maxTypers`.
 * @throws {TypingError} `invalid_options`
 */
export function createMemoryTyping(options: TypingOptions = {}): Typing {
  const { ttlMs, maxTypers } = parseOptions(options);
  const { clock = Date.now } = options;
  const typists = createTypists(ttlMs, maxTypers);
  let closed = false;

  const open = <T>(work: (nowMs: number) => T): Promise<T> =>
    new Promise((resolve) => {
      if (closed) throw new TypingError('closed', 'typing was closed');
      resolve(work(Math.floor(clock())));
    });

  return {
    start: (channelId, agentId) =>
      open((nowMs) => typists.start(checkTyper({ channelId, agentId }), nowMs)),
    stop: (channelId, agentId) =>
      open((nowMs) => typists.stop(checkTyper({ channelId, agentId }), nowMs)),
    list: (channelId) => open((nowMs) => typists.list(channelId, nowMs)),
    lastStartMs: (channelId, agentId) =>
      open((nowMs) => typists.lastStartMs({ channelId, agentId }, nowMs)),
    remainingMs: (typers) =>
      open((nowMs) => typers.map((typer) => typists.remainingMs(typer, nowMs))),
    async close() {
      closed = true;
    },
  };
}
