/**
 * What a watcher has seen of the commits: every one whose mark is below `next`, but for those in `open`.
 *
 * A mark is no time: clocks go back, and commits do not come in the order of their clocks. On SQLite, where there is one
 * writer at a time, it counts the commits, and `open` is empty. On PostgreSQL it is the transaction's id, and `open` are
 * the transactions that had begun and not ended: what they commit is found when they end, however long that takes, and
 * what others commit meanwhile is reported once.
 */
export interface Mark {
  readonly next: number;
  readonly open: readonly number[];
}

/**
 * The mark of a watcher that had seen `since`, and of what a later statement saw (`now`) has read the commits up to
 * `readTo` alone.
 */
export function markAfter(since: Mark, now: Mark, readTo: number): Mark {
  const least = Math.min(since.next, now.next);
  const next = Math.max(least, Math.min(now.next, readTo + 1));
  const open = [
    ...now.open.filter((mark) => mark <= readTo),
    ...since.open.filter((mark) => mark > readTo),
  ];
  return { next, open: open.filter((mark) => mark < next) };
}
