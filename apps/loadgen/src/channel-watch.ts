/** What one agent saw of one channel's order. */
export interface ChannelWatch {
  /** The seq that was or must be seen first. */
  readonly first: number;
  /** The last seq seen. */
  last: number;
  /** Seqs that were skipped and did not come. */
  lost: number;
  /** Seqs that came again. */
  doubled: number;
}

/** A watch of what comes after `last`. */
export function createChannelWatch(last: number): ChannelWatch {
  return { first: last + 1, last, lost: 0, doubled: 0 };
}

/** Every seq is to be seen once and in order: notes what is not. */
export function watchSeq(watch: ChannelWatch, seq: number): void {
  if (seq === watch.last + 1) {
    watch.last = seq;
  } else if (seq > watch.last) {
    watch.lost += seq - watch.last - 1;
    watch.last = seq;
  } else {
    watch.doubled += 1;
  }
}
