/** Shorter frames are answers, of which no two are the same. */
const minSharedChars = 256;

/**
 * Reads frames as JSON, the same text once. A room's frame is the same for each of its members, so one process that
 * plays them all parses it once instead of a hundred times: what is measured is the hub, not `JSON.parse`. What it
 * answers is shared, so nobody may change it.
 *
 * The newest are compared one by one, newest first: hashing a text to look it up costs more than all of that, since
 * texts of another length differ at once and equal ones are mostly the newest.
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
