/** Shorter frames are not cached: most are answers, and no two answers are equal. */
const minSharedChars = 256;

/**
 * All members of a channel get the same frame, so equal frames are parsed only once. Callers share the result and must
 * not change it. A frame is compared with each cached frame, the newest first. This is faster than a hash, because an
 * equal frame is usually the newest.
 */
export function createFrameCache(max = 16): (text: string) => unknown {
  const texts = new Array<string>(max).fill('');
  const values = new Array<unknown>(max);
  let newest = 0;
  return (text) => {
    if (text.length < minSharedChars) return JSON.parse(text) as unknown;
    for (let age = 0; age < max; age += 1) {
      const place = (newest - age + max) % max;
      if (texts[place] === text) return values[place];
    }
    const value: unknown = JSON.parse(text);
    newest = (newest + 1) % max;
    texts[newest] = text;
    values[newest] = value;
    return value;
  };
}
