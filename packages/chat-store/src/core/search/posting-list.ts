/** The documents of one segment. */
export const segmentDocs = 4096;

const bitmapBytes = segmentDocs / 8;
const offsetBytes = 2;

/** A set of documents of one segment, a bit for each. */
export type DocSet = Uint8Array;

export const segmentOf = (doc: number): number => Math.floor(doc / segmentDocs);

export function emptySet(): DocSet {
  return new Uint8Array(bitmapBytes);
}

export function addDoc(set: DocSet, doc: number): void {
  const offset = doc % segmentDocs;
  set[offset >> 3] = (set[offset >> 3] ?? 0) | (1 << (offset & 7));
}

/** Keeps the documents that are also in the other set. Returns false if none is left. */
export function intersect(set: DocSet, other: DocSet): boolean {
  let any = 0;
  for (let i = 0; i < bitmapBytes; i += 1) {
    const both = (set[i] ?? 0) & (other[i] ?? 0);
    set[i] = both;
    any |= both;
  }
  return any !== 0;
}

/** The documents of the set, highest first. */
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

/**
 * The set as stored: the offsets of its documents in the segment, two bytes each; a set that is not shorter in this form
 * is stored as its bitmap.
 */
export function encodeSet(set: DocSet): Uint8Array {
  const docs = docsOf(set, 0).reverse();
  if (docs.length * offsetBytes >= bitmapBytes) return set;
  const bytes = new Uint8Array(docs.length * offsetBytes);
  docs.forEach((offset, index) => {
    bytes[index * offsetBytes] = offset >> 8;
    bytes[index * offsetBytes + 1] = offset & 0xff;
  });
  return bytes;
}

/** Adds the documents of a stored set. */
export function addStored(set: DocSet, stored: Uint8Array): void {
  if (stored.length === bitmapBytes) {
    for (let i = 0; i < bitmapBytes; i += 1) set[i] = (set[i] ?? 0) | (stored[i] ?? 0);
    return;
  }
  for (let at = 0; at + 1 < stored.length; at += offsetBytes) {
    addDoc(set, ((stored[at] ?? 0) << 8) | (stored[at + 1] ?? 0));
  }
}
