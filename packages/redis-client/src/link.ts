import { Redis } from 'ioredis';
import type { IoredisOptions } from './ioredis-options.ts';
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

  const call: Link['call'] = ([name, ...args]) => redis.call(name, ...args);
  const drop = () => (redis.stream as Redis['stream'] | undefined)?.destroy();

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
      const pipeline = redis.pipeline();
      for (const [name, ...args] of commands) pipeline.call(name, ...args);
      const results = await pipeline.exec();
      return (results ?? []).map(([error, reply]) => error ?? reply);
    },
    callEach: async (command) => [await call(command)],
    drop,
    async close() {
      // While it waits for its next attempt there is no socket whose end could be awaited.
      const isWaiting = ['end', 'wait', 'close', 'reconnecting'].includes(redis.status);
      const ended = isWaiting ? undefined : new Promise((resolve) => redis.once('end', resolve));
      redis.disconnect();
      drop();
      await ended;
    },
  };
}
