export const inboxCursorChars = 512;

/**
 * How far an inbox was read: items up to `place` whose transaction is before `next` and not in `open`. On a database
 * with one writer at a time, only `place` counts: `open` is empty and `next` is 0.
 */
export interface InboxPlace {
  /** A hash of the epoch, the agent and the channels to which the read was limited. */
  readonly scope: string;
  readonly place: number;
  readonly next: number;
  /** In rising order. */
  readonly open: readonly number[];
}

/**
 * Clients pass the cursor back unchanged. If the open transactions do not fit, the cursor covers fewer items than the
 * read saw, and the remaining items come again.
 */
export function encodeInboxCursor({ scope, place, next, open }: InboxPlace): string {
  const head = `i${scope}.${place.toString(36)}.`;
  const largest = Number.MAX_SAFE_INTEGER.toString(36).length;
  let list = '';
  let last = 0;
  let end = next;
  for (const transaction of open) {
    const step = `.${(transaction - last).toString(36)}`;
    if (head.length + largest + list.length + step.length > inboxCursorChars) {
      end = transaction;
      break;
    }
    list += step;
    last = transaction;
  }
  return `${head}${end.toString(36)}${list}`;
}

/** Null if the text is not an encoded cursor. */
export function decodeInboxCursor(cursor: string): InboxPlace | null {
  if (cursor.length > inboxCursorChars) return null;
  const [, scope, numbers] =
    /^i([A-Za-z0-9_-]{1,64})((?:\.[0-9a-z]{1,11}){2,})$/.exec(cursor) ?? [];
  if (scope === undefined || numbers === undefined) return null;
  const [place = 0, next = 0, ...steps] = numbers
    .slice(1)
    .split('.')
    .map((digits) => Number.parseInt(digits, 36));
  const open: number[] = [];
  for (const step of steps) open.push((open.at(-1) ?? 0) + step);
  const all = [place, next, ...open];
  return all.every(Number.isSafeInteger) ? { scope, place, next, open } : null;
}
