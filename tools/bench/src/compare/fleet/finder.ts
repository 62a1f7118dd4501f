export interface Finder {
  isIn(bytes: Buffer, start: number, end: number): boolean;
}

/**
 * Searches in one pass through all frames that arrived together. If each frame were searched separately, each search
 * would run to the end of all bytes, at quadratic cost.
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
