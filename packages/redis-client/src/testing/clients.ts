import { afterEach } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import {
  createRedisClient,
  type RedisClient,
  type RedisClientOptions,
  type Logger,
} from '../index.ts';

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly details: object;
}

export function recordingLogger(): Logger & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (details: object, message: string) =>
    void lines.push({ level, message, details });
  return { lines, info: at('info'), warn: at('warn'), error: at('error') };
}

/** All clients are closed after each test. */
export function clientsOfTest(): {
  open(options: RedisClientOptions, logger?: Logger): RedisClient;
  connect(options: RedisClientOptions, logger?: Logger): Promise<RedisClient>;
} {
  const clients: RedisClient[] = [];
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });
  const open = (options: RedisClientOptions, logger?: Logger) => {
    const client = createRedisClient(options, logger ? { logger } : {});
    clients.push(client);
    return client;
  };
  return {
    open,
    async connect(options, logger) {
      const client = open(options, logger);
      await untilUp(client);
      return client;
    },
  };
}

export async function untilUp(client: RedisClient, timeoutMs = 10_000): Promise<void> {
  await waitFor(() => client.available && client.subscriber.connected, {
    what: 'an available Redis',
    timeoutMs,
  });
}

export async function timed(
  work: Promise<unknown>,
): Promise<{ readonly ms: number; readonly outcome: unknown }> {
  const startedMs = performance.now();
  const outcome = await work.catch((error: unknown) => error);
  return { ms: performance.now() - startedMs, outcome };
}
