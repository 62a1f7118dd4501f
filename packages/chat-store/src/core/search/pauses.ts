import { setImmediate as nextTurn } from 'node:timers/promises';

/** Text that one turn of the event loop splits into words, in a few ms even for the slowest texts. */
const turnChars = 16_384;

export function createPauses() {
  let chars = 0;
  return {
    /** Call it for each text. */
    async after(length: number): Promise<void> {
      chars += length;
      if (chars < turnChars) return;
      chars = 0;
      await nextTurn();
    },
  };
}
