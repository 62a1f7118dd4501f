/** The hub's own paths begin with these segments, so a public path must not. */
const ownSegments: ReadonlySet<string> = new Set(['v1', 'assets', 'healthz', 'readyz', 'metrics']);

const plainPath = /^(?:\/[\w.~-]+)*\/?$/;

/**
 * Parses the address at which browsers open the hub. The result ends with a slash.
 * @throws {TypeError} with the reason
 */
export function parsePublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new TypeError(
      'must be an address such as https://chat.example.com or https://example.com/chat',
    );
  if (url.username + url.password + url.search + url.hash !== '')
    throw new TypeError('must have no user, password, query or fragment');
  if (!plainPath.test(url.pathname))
    throw new TypeError('its path may have letters, digits and - . _ ~ between single slashes');
  const [, first = ''] = url.pathname.split('/');
  if (ownSegments.has(first))
    throw new TypeError(`its path must not begin with /${first}, which is a path of the hub`);
  return `${url.origin}${url.pathname.replace(/\/$/, '')}/`;
}

export interface PathPrefix {
  readonly path: string;
  /** Removes a prefix that the proxy did not remove. Other targets stay unchanged. */
  strip(target: string): string;
}

export function createPathPrefix(publicUrl: string | null): PathPrefix {
  const path = publicUrl === null ? '/' : new URL(publicUrl).pathname;
  if (path === '/') return { path, strip: (target) => target };
  return {
    path,
    strip: (target) => (target.startsWith(path) ? target.slice(path.length - 1) : target),
  };
}
