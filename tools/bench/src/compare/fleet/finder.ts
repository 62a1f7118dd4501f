/** Says whether frames contain some bytes. */
export interface Finder {
  isIn(bytes: Buffer, start: number, end: number): boolean;
}

/**
 * Searches the bytes of all frames that arrived together once. A search from each frame would go on to the end of them all, and
 * cost as much as their square.
 */
export function createFinder(text: string): Finder {
  const wanted = Buffer.from(text);
  let searched: Buffer | null = null;
  let next = Infinity;
  return {
    isIn(bytes, start, end) {
      if (bytes !== searched || next < start) {
        const at = bytes.indexOf(wanted, start);
        next = at < 0 ? Infinity : at;
        searched = bytes;
      }
      return next < end;
    },
  };
}
