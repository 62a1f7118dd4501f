import { limits } from '@openclaw/protocol';

/** The longest list that any method takes. */
const maxItems = limits.topics;

/** A list in params that is longer than any method takes. */
export interface OverlongList {
  readonly name: string;
  readonly message: string;
}

/**
 * Finds a list that is too long before a schema checks each of its items; null when there is none. A frame has room for
 * 80,000 wrong items, and reporting them all would block the event loop for a tenth of a second.
 */
export function overlongListOf(params: unknown): OverlongList | null {
  if (typeof params !== 'object' || params === null) return null;
  for (const [name, value] of Object.entries(params)) {
    if (Array.isArray(value) && value.length > maxItems)
      return { name, message: `a list of more than ${maxItems}` };
  }
  return null;
}
