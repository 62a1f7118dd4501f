/**
 * A bounded set of recent ids in two generations. When the young one holds `maxIds / 2` ids or is `windowMs` old, it
 * becomes the old one, and the old one is dropped as a whole. So the last `maxIds / 2` ids of the last `windowMs` are
 * always known, and it never holds more than `maxIds`.
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
        // After two windows without ids the young generation is also too old.
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
