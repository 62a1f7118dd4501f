/**
 * Shorter frames are usually answers, which differ from each other, so a cache of them is useless.
 */
const minSharedChars = 256;

/**
 * Parses equal frames only once, because all members of a channel get the same frame. Results are shared and must not
 * be changed. A frame is compared with the newest frames in turn, which is faster than a hash: an equal frame is
 * usually the newest.
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
