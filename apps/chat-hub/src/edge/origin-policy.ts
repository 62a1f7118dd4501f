import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../config.ts';

/** Null when a request with these headers may come in, else why not. */
export type Gate = (headers: IncomingHttpHeaders) => string | null;

const loopbackHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * Keeps other people's web pages out, for REST and WebSocket alike. A page that is neither this host's nor allowed is
 * known by its Origin. With dev sign-in the request must also name this machine: to a browser, a foreign name that
 * resolves to 127.0.0.1 is the page's own host.
 */
export function createGate({
  allowedOrigins,
  auth,
}: Pick<Config, 'allowedOrigins' | 'auth'>): Gate {
  return (headers) => {
    if (auth.mode === 'dev' && !loopbackHost.test(headers.host ?? ''))
      return 'dev sign-in is for this machine only: ask for localhost';
    if (!isOriginAllowed(headers, allowedOrigins)) return 'this Origin may not come in';
    return null;
  };
}

function isOriginAllowed({ origin, host }: IncomingHttpHeaders, allowed: readonly string[]) {
  if (origin === undefined || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}
