import { isNameId } from '@openclaw/key-schema';
import { PresenceError } from './errors.ts';
import type { PageOptions } from './presence.ts';

/** The most records in one page. */
export const maxPage = 200;

/** @throws {PresenceError} `invalid_argument` */
export function parsePage({ cursor, limit = 50, unreaped = false }: PageOptions): {
  cursor: string;
  limit: number;
  unreaped: boolean;
} {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxPage) {
    throw new PresenceError('invalid_argument', `limit must be 1 to ${maxPage}`);
  }
  if (cursor !== undefined && cursor !== null && !isNameId(cursor)) {
    throw new PresenceError('invalid_argument', 'cursor is none that a page gave');
  }
  return { cursor: cursor ?? '', limit, unreaped };
}
