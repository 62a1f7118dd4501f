import type { Cluster, Redis } from 'ioredis';
import { untilAnswered, within } from './heartbeat.ts';

const silenceMs = 250;
const endMs = 1000;

/** Destroys the socket without a close handshake, which a frozen server would not answer. ioredis then reconnects. */
export function destroySocket(redis: Redis): void {
  // The type is wrong: before the first attempt there is no stream.
  (redis.stream as Redis['stream'] | undefined)?.destroy();
}

/** Sends everything that `work` writes to the connection in one write. */
export function inOneWrite<T>(redis: Redis, work: () => T): T {
  const socket = redis.stream as Redis['stream'] | undefined;
  socket?.cork();
  try {
    return work();
  } finally {
    socket?.uncork();
  }
}

/** Destroys the socket unless the server answers a PING. */
export function dropIfSilent(redis: Redis): void {
  if (redis.status !== 'ready') return;
  within(untilAnswered(redis.ping()), silenceMs, () => new Error('silent')).catch(() =>
    destroySocket(redis),
  );
}

/** Waits for the end after a `disconnect()`. The wait is bounded, because ioredis does not always report the end. */
export async function untilEnded(connection: Redis | Cluster): Promise<void> {
  if (connection.status === 'end' || connection.status === 'reconnecting') return;
  const ended = new Promise<void>((resolve) => void connection.once('end', resolve));
  await within(ended, endMs, () => new Error('no end')).catch(() => undefined);
}
