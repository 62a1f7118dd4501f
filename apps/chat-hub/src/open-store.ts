import { setTimeout as delay } from 'node:timers/promises';
import {
  ChatStoreError,
  createChatStore,
  type ChatStore,
  type ChatStoreDeps,
  type ChatStoreErrorCode,
} from '@openclaw/chat-store';
import type { Logger } from 'pino';
import type { Config } from './config.ts';

/** The time is short, because a waiting hub must be ready within two seconds after its database is back. */
const retryMs = 500;

/**
 * A server that starts, fails over or is down gives these codes, so the hub tries again. A SQLite file is not tried
 * again, because it does not recover by itself.
 */
const retryableCodes: ReadonlySet<ChatStoreErrorCode> = new Set([
  'unavailable',
  'timeout',
  'locked',
  'unwritable',
]);

type OpenStoreOptions = Pick<
  Config,
  'databaseUrl' | 'startTimeoutMs' | 'retention' | 'auditRetentionMs' | 'agentTurns'
> & {
  readonly sweepEveryMs?: number | undefined;
};

/**
 * While PostgreSQL is away, waits for at most `startTimeoutMs`, or until the signal aborts.
 * @throws {ChatStoreError} with the last reason
 */
export async function openStore(
  options: OpenStoreOptions,
  deps: ChatStoreDeps,
  log: Logger,
  signal: AbortSignal,
): Promise<ChatStore> {
  const startMs = performance.now();
  let isWaiting = false;
  const { databaseUrl, startTimeoutMs, retention, auditRetentionMs } = options;
  const { agentTurns, sweepEveryMs } = options;
  for (;;) {
    try {
      const store = await createChatStore(
        {
          ...{ url: databaseUrl, ...retention, auditRetentionMs },
          ...(agentTurns && {
            agentTurns: agentTurns.limit,
            agentTurnsWindowMs: agentTurns.windowMs,
          }),
          ...(sweepEveryMs && { sweepEveryMs }),
        },
        deps,
      );
      const waitedMs = Math.round(performance.now() - startMs);
      if (isWaiting) log.warn({ waitedMs }, 'the database answers: the hub continues to start');
      if (!signal.aborted) return store;
      await store.close();
    } catch (error) {
      const isLate = performance.now() - startMs >= startTimeoutMs;
      if (databaseUrl.startsWith('sqlite:') || isLate || !isRetryable(error)) throw error;
      const { code, message } = error;
      if (!isWaiting) log.warn({ code, reason: message }, 'the hub waits for its database');
      isWaiting = true;
    }
    if (signal.aborted) throw new ChatStoreError('closed', 'a signal ended the start of the hub');
    await delay(retryMs, undefined, { signal }).catch(() => undefined);
  }
}

function isRetryable(error: unknown): error is ChatStoreError {
  return error instanceof ChatStoreError && retryableCodes.has(error.code);
}
