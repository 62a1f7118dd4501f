export const messageDeltaEvent = 'message.delta';

export interface MessageDeltaPayload {
  readonly messageId: string;
  /** The length of the text before the delta, in UTF-16 code units. */
  readonly from: number;
  readonly text: string;
}

/** Null when the appended text does not continue `before`. */
export function appendedText(before: string, from: number, text: string): string | null {
  if (from > before.length) return null;
  const overlap = Math.min(before.length - from, text.length);
  if (before.slice(from, from + overlap) !== text.slice(0, overlap)) return null;
  return before + text.slice(overlap);
}
