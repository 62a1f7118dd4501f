import { setImmediate as nextTurn } from 'node:timers/promises';

/** The most bytes that one statement loads, so that a page loads little more than it answers. */
const stepBytes = 524_288;
const stepRows = 250;
const stepReactions = 1_000;
/** Characters encoded without a pause, so that a large page does not block the event loop. */
const chunkChars = 262_144;

/** A row that a page may hold, with the size of its text. */
export interface SizedRow {
  readonly seq: number;
  readonly bytes: number;
  /** The number of reactions of a message, which another statement loads. */
  readonly reactions?: number;
}

/** The first rows of a page that fit into `maxBytes` together, at least one, in steps of one statement each. */
export function stepsOf(
  rows: readonly SizedRow[],
  maxBytes: number,
  maxRows: number = stepRows,
): SizedRow[][] {
  const steps: SizedRow[][] = [];
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

/** The rows of one answer as JSON: together at most `maxBytes`, but at least one row. */
export interface PageText {
  readonly rows: string[];
  /** False if the page is full and the row was not added. */
  add(row: string): boolean;
}

/** An empty page. */
export function createPageText(maxBytes: number): PageText {
  const rows: string[] = [];
  let bytes = 0;
  return {
    rows,
    add(row) {
      // With the comma before it.
      bytes += Buffer.byteLength(row) + 1;
      if (bytes > maxBytes && rows.length > 0) return false;
      rows.push(row);
      return true;
    },
  };
}

/** A result's JSON in pieces: its list, whose rows are JSON already, then its other fields. */
export function* resultText(
  list: string,
  rows: Iterable<string>,
  rest: Readonly<Record<string, unknown>>,
): Generator<string> {
  yield `{"${list}":[`;
  let separator = '';
  for (const row of rows) {
    if (separator !== '') yield separator;
    yield row;
    separator = ',';
  }
  const others = JSON.stringify(rest).slice(1);
  yield others === '}' ? ']}' : `],${others}`;
}

/** Encodes text as UTF-8 in pieces that own their memory, with pauses for other work. */
export async function encodePieces(pieces: Iterable<string>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let open = '';
  for (const piece of pieces) {
    open += piece;
    if (open.length < chunkChars) continue;
    chunks.push(encode(open));
    open = '';
    await nextTurn();
  }
  if (open !== '') chunks.push(encode(open));
  return chunks;
}

// Not from Buffer's pool, because a worker thread transfers the memory.
function encode(text: string): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}
