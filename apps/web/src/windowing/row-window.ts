/** Which rows are drawn, and where they stand. */
export interface RowWindow {
  /** The first row drawn. */
  readonly start: number;
  /** The row after the last one drawn. */
  readonly end: number;
}

/** Where each row begins, and behind the last of them where the list ends. */
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

/** The row that stands at this height: the last one that begins at or above it. */
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

/** The rows that a view of this height shows when scrolled to `top`, and `overscan` pixels on either side. */
export function rowsInView(
  offsets: Float64Array,
  top: number,
  height: number,
  overscan: number,
): RowWindow {
  const count = offsets.length - 1;
  if (count <= 0) return { start: 0, end: 0 };
  const start = rowAt(offsets, Math.max(0, top - overscan));
  const end = rowAt(offsets, Math.max(0, top + height + overscan)) + 1;
  return { start, end: Math.min(count, end) };
}

/** The first row with this seq or a later one. */
export function rowOfSeq(rows: readonly { readonly seq: number }[], seq: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle] as { seq: number }).seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
