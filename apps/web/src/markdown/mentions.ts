/** The members whom a text names with an @, each once. */
export function mentionsIn(text: string, isMember: (agentId: string) => boolean): string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(
    /(?:^|[^A-Za-z0-9._@|~-])@([A-Za-z0-9][A-Za-z0-9._@|~-]{0,127})/g,
  )) {
    // A name at the end of a sentence takes no full stop with it.
    const whole = match[1] ?? '';
    const name = isMember(whole) ? whole : whole.replace(/[._-]+$/, '');
    if (isMember(name)) found.add(name);
    if (found.size === mentionsMax) break;
  }
  return [...found];
}

const mentionsMax = 50;

/** The name that is being written at the caret, without its @; null when none is. */
export function mentionAtCaret(text: string, caret: number): string | null {
  const match = /(?:^|[\s(])@([A-Za-z0-9._@|~-]*)$/.exec(text.slice(0, caret));
  return match === null ? null : (match[1] ?? '');
}
