const allowed: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:']);

/** The address if a link may lead there, else null: no script, no data, nothing of this page's own. */
export function safeLink(url: string): string | null {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return null;
  }
  return allowed.has(parsed.protocol) ? parsed.href : null;
}
