/**
 * A bounded set of ids in two generations. When the young generation has `maxIds / 2` ids or is `windowMs` old, it
 * becomes the old generation. The newest `maxIds / 2` ids of the last `windowMs` are always known.
 */
export function createRecentIds(maxIds: number, windowMs: number, clock: () => number) {
  const generationSize = Math.ceil(maxIds / 2);
  let young = new Set<string>();
  let old = new Set<string>();
  let startedAtMs = clock();
  return {
    has: (id: string) => young.has(id) || old.has(id),
    add(id: string) {
      const nowMs = clock();
      const ageMs = nowMs - startedAtMs;
      if (young.size >= generationSize || ageMs >= windowMs) {
        // A generation gets ids only in its first window. After two windows, all ids of `young` are too old to keep.
        old = ageMs >= 2 * windowMs ? new Set() : young;
        young = new Set();
        startedAtMs = nowMs;
      }
      young.add(id);
    },
    get size() {
      return young.size + old.size;
    },
  };
}
