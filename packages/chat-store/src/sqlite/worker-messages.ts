import type { StoreCore } from '../core/store-core.ts';
import { ChatStoreError, type ChatStoreErrorCode } from '../errors.ts';
import type { SqliteEngineOptions } from './sqlite-engine.ts';

export type WorkerSettings = Omit<SqliteEngineOptions, 'clock'>;

export interface WorkerCall {
  readonly id: number;
  readonly method: keyof StoreCore;
  readonly args: readonly unknown[];
}

/** Threads cannot pass classes. */
export interface WireError {
  readonly code: ChatStoreErrorCode;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
}

/** Worker to main thread. The first message is `ready`, or `error` with id 0 when the database could not be opened. */
export type WorkerReply =
  | { readonly ready: true }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError }
  | { readonly fault: string; readonly doing: string };

export const watchingFile = 'watching the file of the database';

/** Callers get this error, so it does not name the path. The path is only in the `fault` of a {@link WorkerReply}. */
export function fileLost(code: 'unavailable' | 'timeout'): ChatStoreError {
  const message = 'the file of the database was removed or replaced: the hub must be restarted';
  return new ChatStoreError(code, message, { retryAfterMs: 5000 });
}

/** Returns the buffers that are transferred to the main thread instead of copied. */
export function transferOf(value: unknown): ArrayBuffer[] {
  const json = typeof value === 'object' && value !== null && 'json' in value ? value.json : null;
  return Array.isArray(json)
    ? json.filter((bytes) => bytes instanceof Uint8Array).map(({ buffer }) => buffer as ArrayBuffer)
    : [];
}

export function toWire(error: unknown): WireError {
  if (error instanceof ChatStoreError) {
    return { code: error.code, message: error.message, retryAfterMs: error.retryAfterMs };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'internal', message, retryAfterMs: undefined };
}

export function fromWire({ code, message, retryAfterMs }: WireError): ChatStoreError {
  return new ChatStoreError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}
