import type { Redis } from 'ioredis';
import { reasonOf } from './errors.ts';
import { within } from './heartbeat.ts';
import { destroySocket } from './server-connection.ts';

// For the connection that reads the slots, ioredis reports only this message, and not the cause.
const closedMessage = 'Connection is closed.';

/**
 * Reports errors of a Cluster's nodes with the node's address. If ioredis hides why a connection ended, connects to the
 * node once more to learn the reason. Until that node has answered, such errors of other nodes are not reported.
 */
export function createNodeDiagnosis(timeoutMs: number, report: (error: Error) => void) {
  let isAsking = false;
  const reportOf = (address: string, error: Error) =>
    report(new Error(`${address}: ${reasonOf(error)}`));

  async function ask(address: string, node: Redis): Promise<void> {
    const connection = node.duplicate({
      lazyConnect: true,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      connectTimeout: timeoutMs,
      retryStrategy: () => null,
    });
    connection.on('error', (error: Error) => reportOf(address, error));
    // A failed connect is ignored here, because the `error` event has already reported the reason.
    const late = () => new Error('no answer');
    await within(connection.connect(), timeoutMs, late).catch(() => undefined);
    connection.disconnect();
    destroySocket(connection);
  }

  return (address: string, error: Error, node: Redis | undefined): void => {
    if (error.message !== closedMessage) return reportOf(address, error);
    if (!node || isAsking) return;
    isAsking = true;
    void ask(address, node).finally(() => (isAsking = false));
  };
}
