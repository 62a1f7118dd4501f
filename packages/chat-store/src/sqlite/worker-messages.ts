import type { StoreCore } from '../core/store-core.ts';
import { ChatStoreError, type ChatStoreErrorCode } from '../errors.ts';

/** What a worker is started with. */
export interface WorkerSettings {
  readonly path: string;
  readonly readOnly: boolean;
  readonly busyTimeoutMs: number;
}

/** The calls that go to a worker. */
export type WorkerMethod = keyof StoreCore;

/** Main thread to worker. */
export interface WorkerCall {
  readonly id: number;
  readonly method: WorkerMethod;
  readonly args: readonly unknown[];
}

/** An error as it crosses: classes do not. */
export interface WireError {
  readonly code: ChatStoreErrorCode;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
}

/** Worker to main thread. `ready` comes once, before all else, or `error` with id 0 instead. */
export type WorkerReply =
  | { readonly ready: true }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError }
  | { readonly fault: string; readonly doing: string };

/** The activity under which a thread reports that the database's file is gone. */
export const watchingFile = 'watching the file of the database';

/** The error for callers then. It names no path: that is for the log. */
export function fileLost(code: 'unavailable' | 'timeout'): ChatStoreError {
  const message = 'the file of the database was removed or replaced: the hub must be restarted';
  return new ChatStoreError(code, message, { retryAfterMs: 5000 });
}

/** The memory of an answer's bytes: it changes hands, instead of being copied on the main thread. */
export function transferOf(value: unknown): ArrayBuffer[] {
  const json = typeof value === 'object' && value !== null && 'json' in value ? value.json : null;
  return Array.isArray(json)
    ? json.filter((bytes) => bytes instanceof Uint8Array).map(({ buffer }) => buffer as ArrayBuffer)
    : [];
}

/** An error for the other side. */
export function toWire(error: unknown): WireError {
  if (error instanceof ChatStoreError) {
    return { code: error.code, message: error.message, retryAfterMs: error.retryAfterMs };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'internal', message, retryAfterMs: undefined };
}

/** The error that the other side had. */
export function fromWire({ code, message, retryAfterMs }: WireError): ChatStoreError {
  return new ChatStoreError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}
