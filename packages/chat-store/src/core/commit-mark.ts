/**
 * A watcher has seen all commits with marks below `next`, except the commits in `open`. On PostgreSQL, a mark is a
 * transaction's id, and `open` lists transactions that had not ended. On SQLite, a mark counts commits, and `open` is
 * empty.
 */
export interface CommitMark {
  readonly next: number;
  readonly open: readonly number[];
}

/**
 * Returns the new mark of a watcher that had the mark `since` and has read up to `readTo`. `now` is the database's
 * mark.
 */
export function nextCommitMark(since: CommitMark, now: CommitMark, readTo: number): CommitMark {
  const least = Math.min(since.next, now.next);
  const next = Math.max(least, Math.min(now.next, readTo + 1));
  const open = [
    ...now.open.filter((mark) => mark <= readTo),
    ...since.open.filter((mark) => mark > readTo),
  ];
  return { next, open: open.filter((mark) => mark < next) };
}
