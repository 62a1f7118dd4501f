import { limits } from '@openclaw/protocol';

/** The longest list that any method takes. */
const maxItems = limits.topics;

/** What is wrong with params that hold a list longer than any method takes; null when none does. */
export interface OverlongList {
  readonly name: string;
  readonly message: string;
}

/**
 * Finds it before a schema looks at each of its items: 80,000 wrong ones fit into a frame, and telling what is wrong with
 * all of them keeps the event loop for a tenth of a second.
 */
export function overlongListOf(params: unknown): OverlongList | null {
  if (typeof params !== 'object' || params === null) return null;
  for (const [name, value] of Object.entries(params)) {
    if (Array.isArray(value) && value.length > maxItems)
      return { name, message: `a list of more than ${maxItems}` };
  }
  return null;
}
