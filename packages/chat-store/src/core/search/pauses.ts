import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * One turn of the event loop splits this many characters into words. Even for the slowest texts, this takes only a few
 * ms.
 */
const turnChars = 16_384;

export function createPauses() {
  let chars = 0;
  return {
    async after(length: number): Promise<void> {
      chars += length;
      if (chars < turnChars) return;
      chars = 0;
      await nextTurn();
    },
  };
}
