import type { EncodedEnvelope } from '@openclaw/protocol';

/** The memory that the rings of all channels share: past its limit the least recently used ring is emptied. */
export interface RingBudget {
  /** Bytes that all rings hold now. */
  readonly bytes: number;
  /** Bytes that they may hold together. */
  readonly maxBytes: number;
  /** Takes in a ring, still empty. `forget` must empty it, without calling `resize`. */
  open(forget: () => void): RingShare;
}

/** One ring's share of the budget. */
export interface RingShare {
  /** The ring holds so many bytes and was used just now. This call may empty it if it alone is over the budget. */
  resize(bytes: number): void;
  /** The ring was read. */
  touch(): void;
  close(): void;
}

/** Bytes of an event beside its text: the object, its short strings, its place in arrays. */
const overheadBytes = 300;

/** Bytes that an event takes on the heap: an ASCII string has one byte a character, any other counts two. */
export function heapBytesOf({ json }: EncodedEnvelope): number {
  const isAscii = Buffer.byteLength(json) === json.length;
  return overheadBytes + (isAscii ? 1 : 2) * json.length;
}

/** Creates the one budget of a hub. */
export function createRingBudget({ maxBytes = 64 * 1_048_576 } = {}): RingBudget {
  /** Bytes by ring, the least recently used first. */
  const rings = new Map<() => void, number>();
  let total = 0;

  function put(forget: () => void, bytes: number): void {
    total += bytes - (rings.get(forget) ?? 0);
    rings.delete(forget);
    if (bytes > 0) rings.set(forget, bytes);
  }

  return {
    maxBytes,
    get bytes() {
      return total;
    },
    open(forget) {
      let isOpen = true;
      return {
        resize(bytes) {
          if (!isOpen) return;
          put(forget, bytes);
          for (const [oldest] of rings) {
            if (total <= maxBytes) return;
            put(oldest, 0);
            oldest();
          }
        },
        touch() {
          const bytes = rings.get(forget);
          if (bytes !== undefined) put(forget, bytes);
        },
        close() {
          isOpen = false;
          put(forget, 0);
        },
      };
    },
  };
}
