import { setImmediate as nextTurn } from 'node:timers/promises';

/** One turn of the event loop splits this much text into words, in a few ms even for the slowest texts. */
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
