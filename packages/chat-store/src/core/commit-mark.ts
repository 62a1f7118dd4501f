/**
 * The commits that a watcher has seen: all whose marks are below `next`, except those in `open`. A mark is not a
 * time, because clocks may go back, and commits do not follow the order of their clocks. On SQLite, which has one
 * writer at a time, the mark counts the commits, and `open` is empty. On PostgreSQL the mark is the transaction's id,
 * and `open` lists the transactions that had begun and not ended. A watcher finds their commits when they end, no
 * matter how late, and reports each other commit once.
 */
export interface CommitMark {
  readonly next: number;
  readonly open: readonly number[];
}

/**
 * The next mark of a watcher that had read everything up to `since` and has now read up to `readTo`. `now` has the
 * commits that a later statement saw.
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
