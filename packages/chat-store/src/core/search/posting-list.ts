export const segmentDocs = 4096;

/** A message may be at most this much older than the messages before it in its segment. */
export const disorderMs = 1_000;

const bitmapBytes = segmentDocs / 8;
const offsetBytes = 2;

export type DocSet = Uint8Array;

export const segmentOf = (doc: number): number => Math.floor(doc / segmentDocs);

export function emptySet(): DocSet {
  return new Uint8Array(bitmapBytes);
}

export function addDoc(set: DocSet, doc: number): void {
  const offset = doc % segmentDocs;
  set[offset >> 3] = (set[offset >> 3] ?? 0) | (1 << (offset & 7));
}

/** Removes from `set` the documents that are not in `other`. Returns false if none is left. */
export function intersect(set: DocSet, other: DocSet): boolean {
  let any = 0;
  for (let i = 0; i < bitmapBytes; i += 1) {
    const both = (set[i] ?? 0) & (other[i] ?? 0);
    set[i] = both;
    any |= both;
  }
  return any !== 0;
}

export function countOf(set: DocSet): number {
  let count = 0;
  for (const byte of set) if (byte !== 0) count += bitsOf(byte);
  return count;
}

/** Returns the documents, the highest first. */
export function docsOf(set: DocSet, segment: number): number[] {
  const docs: number[] = [];
  for (let i = bitmapBytes - 1; i >= 0; i -= 1) {
    const byte = set[i] ?? 0;
    if (byte === 0) continue;
    for (let bit = 7; bit >= 0; bit -= 1) {
      if ((byte & (1 << bit)) !== 0) docs.push(segment * segmentDocs + i * 8 + bit);
    }
  }
  return docs;
}

/** Returns the documents' offsets in the segment, two bytes each, or the bitmap if that is not longer. */
export function encodeSet(set: DocSet): Uint8Array {
  return countOf(set) * offsetBytes >= bitmapBytes ? set : encodeDocs(docsOf(set, 0).reverse());
}

/** Returns the stored form. `docs` are of one segment, lowest first. */
export function encodeDocs(docs: readonly number[]): Uint8Array {
  if (docs.length * offsetBytes >= bitmapBytes) {
    const set = emptySet();
    for (const doc of docs) addDoc(set, doc);
    return set;
  }
  const bytes = new Uint8Array(docs.length * offsetBytes);
  docs.forEach((doc, index) => {
    const offset = doc % segmentDocs;
    bytes[index * offsetBytes] = offset >> 8;
    bytes[index * offsetBytes + 1] = offset & 0xff;
  });
  return bytes;
}

function bitsOf(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

export function addStored(set: DocSet, stored: Uint8Array): void {
  if (stored.length === bitmapBytes) {
    for (let i = 0; i < bitmapBytes; i += 1) set[i] = (set[i] ?? 0) | (stored[i] ?? 0);
    return;
  }
  for (let at = 0; at + 1 < stored.length; at += offsetBytes) {
    addDoc(set, ((stored[at] ?? 0) << 8) | (stored[at + 1] ?? 0));
  }
}

/** True if `other` has every document of `stored`, which is an output of `encodeSet` or `encodeDocs`. */
export function isWithin(stored: Uint8Array, other: DocSet): boolean {
  if (stored.length === bitmapBytes)
    return stored.every((byte, i) => (byte & ~(other[i] ?? 0)) === 0);
  for (let at = 0; at + 1 < stored.length; at += offsetBytes) {
    const offset = ((stored[at] ?? 0) << 8) | (stored[at + 1] ?? 0);
    if (((other[offset >> 3] ?? 0) & (1 << (offset & 7))) === 0) return false;
  }
  return true;
}
