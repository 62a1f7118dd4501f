import { isId } from './text.ts';

export const channelOrders = ['name', 'newest'] as const;
export type ChannelOrder = (typeof channelOrders)[number];

export interface ListPlace {
  readonly by: string | number;
  readonly id: string;
}

/** Enough for the longest name and the longest id, encoded. */
export const listCursorChars = 1_024;

/** Clients pass it back unchanged. */
export function encodeListCursor({ by, id }: ListPlace): string {
  const bytes = new TextEncoder().encode(JSON.stringify([by, id]));
  const text = btoa(String.fromCharCode(...bytes));
  // The cursor has only characters that an id may have, so it needs no escaping in a URL.
  return `c${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

/** Null for a cursor of another order, and for a text that is no cursor. */
export function decodeListCursor(cursor: string, order: ChannelOrder): ListPlace | null {
  if (!/^c[A-Za-z0-9_-]+$/.test(cursor) || cursor.length > listCursorChars) return null;
  try {
    const text = atob(cursor.slice(1).replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (!Array.isArray(value) || value.length !== 2) return null;
    const [by, id] = value as unknown[];
    const isPlace =
      order === 'name'
        ? typeof by === 'string' && !by.includes('\0') && by.isWellFormed()
        : Number.isSafeInteger(by);
    return isPlace && isId(id) ? { by: by as string | number, id } : null;
  } catch {
    return null;
  }
}

/** `lastSeq` is the seq of the thread's last event. */
export interface ThreadPlace {
  readonly lastSeq: number;
  readonly threadId: string;
}

export function encodeThreadCursor({ lastSeq, threadId }: ThreadPlace): string {
  return `t${lastSeq}.${threadId}`;
}

/** Null for a text that is no such cursor. */
export function decodeThreadCursor(cursor: string): ThreadPlace | null {
  const [, lastSeq, threadId] = /^t(\d{1,15})\.(.+)$/.exec(cursor) ?? [];
  return isId(threadId) ? { lastSeq: Number(lastSeq), threadId } : null;
}
