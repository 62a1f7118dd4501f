import type { Redis } from 'ioredis';

/** More in one write would let Redis wait while this process makes the rest. */
const maxJoined = 8;

/**
 * Joins the commands of one turn of the event loop into writes of at most eight, because a system call costs more than
 * most commands. Call the returned function before each command.
 */
export function createJoinedWrites(redis: Redis): () => void {
  let corked: Redis['stream'] | undefined;
  let joined = 0;
  return () => {
    if (!corked) {
      // The type of ioredis is wrong: before the first attempt there is no stream.
      const socket = redis.stream as Redis['stream'] | undefined;
      if (!socket) return;
      corked = socket;
      joined = 0;
      socket.cork();
      process.nextTick(() => {
        corked = undefined;
        socket.uncork();
      });
    }
    if (joined === maxJoined) {
      joined = 0;
      corked.uncork();
      corked.cork();
    }
    joined += 1;
  };
}
