/** Returns the unfinished mention before the caret, without its @; null when there is none. */
export function mentionAtCaret(text: string, caret: number): string | null {
  const match = /(?:^|[\s(])@([A-Za-z0-9._@|~-]*)$/.exec(text.slice(0, caret));
  return match === null ? null : (match[1] ?? '');
}
