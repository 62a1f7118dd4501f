/** `origin` must have the form in which browsers send it. */
export type AllowedOrigins = (origin: string) => boolean;

/**
 * A wildcard before a single label, such as `*.com`, would admit foreign sites. `localhost` is
 * allowed, because it is this machine.
 */
const wildcardHost = /^\*\.(?:[^*.]+(?:\.[^*.]+)+|localhost)$/;

/**
 * Normalizes one entry to the form that browsers send, such as `https://chat.example.com` or `https://*.example.com`.
 * @throws {TypeError} when the entry could never match or would admit foreign sites
 */
export function parseAllowedOrigin(text: string): string {
  // `URL.origin` is "null" for custom schemes, such as those of apps, so the origin is put together from its parts.
  const { protocol, host, hostname } = URL.canParse(text)
    ? new URL(text)
    : { protocol: '', host: '', hostname: '' };
  if (host === '')
    throw new TypeError(
      'must be a comma-separated list of origins such as https://chat.example.com',
    );
  if (hostname.includes('*') && !wildcardHost.test(hostname))
    throw new TypeError(
      'a wildcard stands for all labels before a domain of at least two: https://*.example.com',
    );
  return `${protocol}//${host}`;
}

export function createAllowedOrigins(entries: readonly string[]): AllowedOrigins {
  const exact = new Set(entries.filter((entry) => !entry.includes('*')));
  const wildcards = entries
    .filter((entry) => entry.includes('*'))
    .map((entry) => {
      const [begin = '', end = ''] = entry.split('*');
      return { begin, end };
    });
  return (origin) =>
    exact.has(origin) ||
    wildcards.some(
      ({ begin, end }) =>
        origin.startsWith(begin) &&
        origin.endsWith(end) &&
        isLabels(origin.slice(begin.length, -end.length)),
    );
}

function isLabels(text: string): boolean {
  return text.length <= 253 && /^[a-z\d_-]+(?:\.[a-z\d_-]+)*$/.test(text);
}
