import type { Cluster, Redis } from 'ioredis';
import { answered } from './answered.ts';
import { within } from './heartbeat.ts';

const silenceMs = 250;
const endMs = 1000;

/** Ends the connection without a goodbye, which a frozen server would not answer. Whoever owns it connects anew. */
export function destroySocket(redis: Redis): void {
  // Before the first attempt there is none, whatever the type says.
  (redis.stream as Redis['stream'] | undefined)?.destroy();
}

/** Runs what writes to the connection, and sends it all at once. */
export function inOneWrite<T>(redis: Redis, work: () => T): T {
  const socket = redis.stream as Redis['stream'] | undefined;
  socket?.cork();
  try {
    return work();
  } finally {
    socket?.uncork();
  }
}

/** {@link destroySocket}, unless the server answers a PING: of many connections only the silent ones are given up. */
export function dropIfSilent(redis: Redis): void {
  if (redis.status !== 'ready') return;
  within(answered(redis.ping()), silenceMs, () => new Error('silent')).catch(() =>
    destroySocket(redis),
  );
}

/** Waits for the end after a `disconnect()`; in some states ioredis ends without saying so, hence not for ever. */
export async function untilEnded(connection: Redis | Cluster): Promise<void> {
  if (connection.status === 'end' || connection.status === 'reconnecting') return;
  const ended = new Promise<void>((resolve) => void connection.once('end', resolve));
  await within(ended, endMs, () => new Error('no end')).catch(() => undefined);
}
