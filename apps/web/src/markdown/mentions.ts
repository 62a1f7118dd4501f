const mentionsMax = 50;

/** The members that a text mentions with an @, without duplicates. */
export function mentionsIn(text: string, isMember: (agentId: string) => boolean): string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(
    /(?:^|[^A-Za-z0-9._@|~-])@([A-Za-z0-9][A-Za-z0-9._@|~-]{0,127})/g,
  )) {
    // The full stop of a sentence is not part of the name.
    const whole = match[1] ?? '';
    const name = isMember(whole) ? whole : whole.replace(/[._-]+$/, '');
    if (isMember(name)) found.add(name);
    if (found.size === mentionsMax) break;
  }
  return [...found];
}

/** The unfinished mention before the caret, without its @; null when there is none. */
export function mentionAtCaret(text: string, caret: number): string | null {
  const match = /(?:^|[\s(])@([A-Za-z0-9._@|~-]*)$/.exec(text.slice(0, caret));
  return match === null ? null : (match[1] ?? '');
}
