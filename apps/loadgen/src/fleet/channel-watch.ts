export interface ChannelWatch {
  readonly first: number;
  last: number;
  /** Counts seqs that were skipped and not received later. */
  lost: number;
  doubled: number;
}

export function createChannelWatch(last: number): ChannelWatch {
  return { first: last + 1, last, lost: 0, doubled: 0 };
}

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
