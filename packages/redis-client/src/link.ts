import { Redis } from 'ioredis';
import { toWire } from './command.ts';
import type { IoredisOptions } from './ioredis-options.ts';
import { destroySocket, inOneWrite, untilEnded } from './sockets.ts';
import type { CommandTransport, LinkEvents } from './transport.ts';

/** One connection to one server that is kept up for ever. */
export interface Link extends CommandTransport {
  readonly redis: Redis;
}

/** Opens a connection without waiting for it. */
export function openLink(options: IoredisOptions, events: LinkEvents): Link {
  const redis = new Redis(options);
  let established = 0;
  let up = false;

  redis.on('error', (error: Error) => events.onError(error));
  redis.on('ready', () => {
    // Events come a tick late: the connection may be gone again.
    if (redis.status !== 'ready') return;
    established += 1;
    up = true;
    events.onReady();
  });
  redis.on('close', () => {
    if (!up) return;
    up = false;
    events.onDown();
  });

  let isClosing = false;
  let again: NodeJS.Timeout | undefined;
  // A failover announced while ioredis asks the sentinels makes it call off that very attempt and end for good, though
  // it was told to retry for ever.
  redis.on('end', () => {
    if (isClosing || !options.sentinels) return;
    const delayMs = Number(options.retryStrategy?.(1) ?? 50);
    again = setTimeout(() => void redis.connect().catch(() => undefined), delayMs);
  });

  const call: Link['call'] = (command) => redis.call(...toWire(command));

  return {
    redis,
    get ready() {
      return up && redis.status === 'ready';
    },
    get reconnects() {
      return Math.max(0, established - 1);
    },
    call,
    async batch(commands) {
      // One write for all. Not ioredis' own pipeline: each one gets an accessor of its own, whereby all that it holds
      // outlives every minor collection.
      const calls = inOneWrite(redis, () => commands.map(call));
      return (await Promise.allSettled(calls)).map((outcome) =>
        outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as Error),
      );
    },
    callEach: async (command) => [await call(command)],
    drop: () => destroySocket(redis),
    async close() {
      isClosing = true;
      clearTimeout(again);
      redis.disconnect();
      destroySocket(redis);
      await untilEnded(redis);
    },
  };
}
