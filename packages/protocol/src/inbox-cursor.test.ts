import { describe, expect, it } from '@jest/globals';
import { decodeInboxCursor, encodeInboxCursor, inboxCursorChars } from './inbox-cursor.ts';

const place = { scope: 'aB_-9', place: 70_000, next: 5_000_000_123, open: [] };

describe('the cursor of an inbox', () => {
  it.each([
    place,
    { ...place, next: 0, place: 0 },
    { ...place, open: [4_999_999_000, 5_000_000_001, 5_000_000_122] },
    { ...place, place: Number.MAX_SAFE_INTEGER, next: Number.MAX_SAFE_INTEGER },
  ])('keeps its place: %j', (of) => {
    const cursor = encodeInboxCursor(of);
    expect(cursor.length).toBeLessThanOrEqual(inboxCursorChars);
    expect(decodeInboxCursor(cursor)).toEqual(of);
  });

  it('covers less when too many transactions are open, and never more', () => {
    const open = Array.from({ length: 2_000 }, (_, index) => 5_000_000_000 - 40_000 + index * 20);
    const cursor = encodeInboxCursor({ ...place, open });
    expect(cursor.length).toBeLessThanOrEqual(inboxCursorChars);
    const decoded = decodeInboxCursor(cursor);
    const kept = decoded?.open.length ?? 0;
    expect(kept).toBeGreaterThan(100);
    expect(decoded?.open).toEqual(open.slice(0, kept));
    // From the first omitted transaction on, nothing counts as seen.
    expect(decoded?.next).toBe(open[kept]);
  });

  it.each([
    '',
    'i',
    'x.1.2',
    'iab',
    'iab.1',
    'iab.1.2.',
    'iab.1.2.-3',
    'iab.1.zzzzzzzzzzz',
    'i a.1.2',
  ])('refuses %j', (text) => expect(decodeInboxCursor(text)).toBeNull());

  it('refuses a text that is too long', () => {
    expect(decodeInboxCursor(`iab.1.2${'.1'.repeat(inboxCursorChars)}`)).toBeNull();
  });
});
