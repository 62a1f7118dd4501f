/** Returns the top of each row, followed by the height of the whole list. */
export function offsetsOf<T>(
  rows: readonly T[],
  heightOf: (row: T) => number | undefined,
  estimate: number,
): Float64Array {
  const offsets = new Float64Array(rows.length + 1);
  let offset = 0;
  for (let i = 0; i < rows.length; i += 1) {
    offsets[i] = offset;
    offset += heightOf(rows[i] as T) ?? estimate;
  }
  offsets[rows.length] = offset;
  return offsets;
}

export function rowAt(offsets: Float64Array, top: number): number {
  let low = 0;
  let high = offsets.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((offsets[middle] as number) <= top) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, Math.min(low, offsets.length - 2));
}

/** Includes the rows within `overscan` pixels of the view. `end` is exclusive. */
export function rowsInView(offsets: Float64Array, top: number, height: number, overscan: number) {
  const count = offsets.length - 1;
  if (count <= 0) return { start: 0, end: 0 };
  const start = rowAt(offsets, Math.max(0, top - overscan));
  const end = rowAt(offsets, Math.max(0, top + height + overscan)) + 1;
  return { start, end: Math.min(count, end) };
}
