export interface Batch<E> {
  readonly channelId: string;
  readonly entries: E[];
  readonly positions: number[];
}

/** Groups entries by channel, at most `batchMax` in a batch. */
export function toBatches<E extends { readonly channelId: string }>(
  entries: readonly E[],
  batchMax: number,
): Batch<E>[] {
  const batches: Batch<E>[] = [];
  const open = new Map<string, Batch<E>>();
  entries.forEach((entry, position) => {
    let batch = open.get(entry.channelId);
    if (!batch || batch.entries.length === batchMax) {
      batch = { channelId: entry.channelId, entries: [], positions: [] };
      open.set(entry.channelId, batch);
      batches.push(batch);
    }
    batch.entries.push(entry);
    batch.positions.push(position);
  });
  return batches;
}
