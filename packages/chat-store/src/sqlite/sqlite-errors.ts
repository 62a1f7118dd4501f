import { isNativeError } from 'node:util/types';
import { ChatStoreError } from '../errors.ts';

const family = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADatabase: 26,
};

/** The primary code; null if the error is not from SQLite. */
export function sqliteCode(error: unknown): number | null {
  if (!isNativeError(error) || !('errcode' in error)) return null;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : null;
}

/** Null if neither the lock, the file nor its disk is the cause, for example for an error in a statement. */
export function sqliteFailure(error: unknown, path: string): ChatStoreError | null {
  if (error instanceof ChatStoreError) return error;
  const fail = (code: ChatStoreError['code'], message: string, retryAfterMs?: number) =>
    new ChatStoreError(
      code,
      message,
      retryAfterMs ? { cause: error, retryAfterMs } : { cause: error },
    );
  switch (sqliteCode(error)) {
    case family.busy:
    case family.locked:
      return fail('locked', `another process holds the lock of the database ${path}`, 1000);
    case family.readOnly:
    case family.cantOpen:
      return fail(
        'unwritable',
        `the database ${path} cannot be opened for writing: check the rights to the file and its folder`,
      );
    case family.corrupt:
    case family.notADatabase:
      return fail('corrupt', `the file ${path} is damaged or is not a SQLite database`);
    case family.full:
      return fail('unavailable', `the disk of the database ${path} is full`, 5000);
    case family.ioError:
      return fail('unavailable', `the disk of the database ${path} failed`, 5000);
    default:
      return null;
  }
}

/** If the disk fails in a commit, the rows may exist after a restart. So the outcome is unknown: `timeout`. */
export function commitFailure(error: unknown, path: string): unknown {
  return sqliteCode(error) === family.ioError
    ? new ChatStoreError('timeout', `the disk of the database ${path} failed in a commit`, {
        cause: error,
      })
    : error;
}
