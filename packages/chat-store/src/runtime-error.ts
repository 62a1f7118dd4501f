import { ChatStoreError } from './errors.ts';

/** How a failure is told once the store is open: whatever keeps the database from answering is `unavailable`. */
export function runtimeError(error: unknown): ChatStoreError {
  if (!(error instanceof ChatStoreError)) {
    return new ChatStoreError('internal', 'a fault in the chat store', { cause: error });
  }
  const { code, message, retryAfterMs = 1000 } = error;
  if (code === 'rate_limited') return error;
  if (code === 'timeout' || code === 'internal' || code === 'closed') return error;
  return new ChatStoreError('unavailable', message, { cause: error, retryAfterMs });
}
