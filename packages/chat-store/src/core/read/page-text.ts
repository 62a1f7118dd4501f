import { setImmediate as nextTurn } from 'node:timers/promises';

/** One statement loads at most this many bytes, unless one row has more. One turn of the event loop can parse them. */
const stepBytes = 262_144;
const stepRows = 250;
const stepReactions = 1_000;
/** The most characters encoded without a pause, so that a large page does not block the event loop. */
const chunkChars = 262_144;

export interface SizedRow {
  readonly seq: number;
  readonly bytes: number;
  /** The number of the message's reactions. Another statement loads them. */
  readonly reactions?: number;
}

/**
 * Takes the first rows of a page, as many as fit into `maxBytes`, but at least one. Splits them into steps. One
 * statement loads the rows of a step.
 */
export function stepsOf<R extends SizedRow>(
  rows: readonly R[],
  maxBytes: number,
  maxRows: number = stepRows,
): R[][] {
  const steps: R[][] = [];
  let total = 0;
  let ofStep = 0;
  let reactionsOfStep = 0;
  for (const row of rows) {
    const { bytes, reactions = 0 } = row;
    total += bytes;
    if (total > maxBytes && steps.length > 0) break;
    const open = steps.at(-1);
    ofStep += bytes;
    reactionsOfStep += reactions;
    if (open && open.length < maxRows && ofStep <= stepBytes && reactionsOfStep <= stepReactions) {
      open.push(row);
      continue;
    }
    steps.push([row]);
    ofStep = bytes;
    reactionsOfStep = reactions;
  }
  return steps;
}

export type RowText = readonly string[];

/**
 * Collects an answer's rows as JSON in UTF-8: at most `maxBytes`, but at least one row. If `isReversed`, the answer has
 * the reverse order of the reading. The bytes are kept outside of the heap. In the heap, the garbage collector would
 * copy megabytes and stop the event loop.
 */
export function createPageText(maxBytes: number, isReversed = false) {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  let count = 0;

  function fitting(rows: readonly RowText[]): RowText[] {
    const taken: RowText[] = [];
    for (const row of rows) {
      // The 1 is for the comma before the row.
      bytes += row.reduce((sum, part) => sum + Buffer.byteLength(part), 1);
      if (bytes > maxBytes && count > 0) break;
      taken.push(row);
      count += 1;
    }
    return taken;
  }

  return {
    /** The rows in the order of the answer, with commas. Each piece has its own memory. */
    pieces,
    get count() {
      return count;
    },
    /** Adds rows in the order of reading. Returns false if some of these rows do not fit. */
    add(rows: readonly RowText[]): boolean {
      const isFirst = count === 0;
      const taken = fitting(rows);
      if (taken.length === 0) return rows.length === 0;
      if (isReversed) {
        const parts = taken.reverse().flatMap((row) => [...row, ',']);
        pieces.unshift(encode(isFirst ? parts.slice(0, -1) : parts));
      } else {
        const parts = taken.flatMap((row) => [',', ...row]);
        pieces.push(encode(isFirst ? parts.slice(1) : parts));
      }
      return taken.length === rows.length;
    },
  };
}

/** `rest` is called only after the rows are read, so the list comes first in the text. */
export function* resultText(
  list: string,
  rows: Iterable<string | Uint8Array>,
  rest: () => Readonly<Record<string, unknown>>,
): Generator<string | Uint8Array> {
  yield `{"${list}":[`;
  yield* rows;
  const others = JSON.stringify(rest()).slice(1);
  yield others === '}' ? ']}' : `],${others}`;
}

/**
 * Encodes text as UTF-8, with pauses for other work. Pieces that are already bytes are passed on. Each piece that is
 * encoded has its own memory.
 */
export async function encodePieces(pieces: Iterable<string | Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let open = '';
  for (const piece of pieces) {
    if (typeof piece !== 'string') {
      if (open !== '') chunks.push(encode([open]));
      open = '';
      chunks.push(piece);
      continue;
    }
    open += piece;
    if (open.length < chunkChars) continue;
    chunks.push(encode([open]));
    open = '';
    await nextTurn();
  }
  if (open !== '') chunks.push(encode([open]));
  return chunks;
}

// The text is not joined first, because this would cost another copy. A worker thread hands the memory over, so the
// memory must not be from Buffer's shared pool.
function encode(parts: readonly string[]): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(
    parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0),
  );
  let at = 0;
  for (const part of parts) at += bytes.write(part, at);
  return bytes;
}
