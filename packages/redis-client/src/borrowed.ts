import type { Cluster, Redis } from 'ioredis';
import { RedisClientError } from './errors.ts';
import { within } from './heartbeat.ts';
import type { BorrowedConnections } from './options.ts';

/** Also true for a Cluster of another copy of ioredis. */
export function isCluster(connection: Redis | Cluster): connection is Cluster {
  return connection.isCluster;
}

/** Checks the caller's connections. @throws {RedisClientError} `invalid_options` */
export function resolveBorrowed(
  connection: Redis | Cluster | BorrowedConnections,
): BorrowedConnections {
  const borrowed = 'commands' in connection ? connection : { commands: connection };
  const { commands, subscriber } = borrowed;
  const invalid = (problem: string) =>
    new RedisClientError('invalid_options', `connection ${problem}`);
  if (commands === subscriber) throw invalid('needs a subscriber of its own');
  if (isCluster(commands) && subscriber) throw invalid('takes no subscriber beside a Cluster');
  for (const redis of [commands, subscriber]) {
    // A prefix of ioredis changes the names of keys, but not the topics that are published on.
    if (redis?.options.keyPrefix) throw invalid('has a keyPrefix: use a key schema with a prefix');
  }
  return borrowed;
}

/** Ends the calls of a borrowed connection, whose own options could let a call wait without end. */
export interface CallBound {
  /** Rejects at the timeout, and when closed. `isReady` keeps the call out of the connection's own offline queue. */
  run<T>(isReady: boolean, work: () => Promise<T>): Promise<T>;
  close(): void;
}

export function createCallBound(timeoutMs: number): CallBound {
  const rejects = new Set<(error: Error) => void>();
  return {
    run(isReady, work) {
      if (!isReady) return Promise.reject(new Error('the connection is not ready'));
      return new Promise((resolve, reject) => {
        rejects.add(reject);
        within(work(), timeoutMs, () => new Error('Command timed out'))
          .then(resolve, reject)
          .finally(() => rejects.delete(reject));
      });
    },
    close() {
      for (const reject of rejects) reject(new Error('Connection is closed.'));
    },
  };
}
