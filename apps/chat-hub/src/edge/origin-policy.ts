import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../config.ts';

/** Returns null if a request with these headers is allowed, else the reason for the refusal. */
export type OriginPolicy = (headers: IncomingHttpHeaders) => string | null;

const loopbackHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * Refuses requests of foreign web pages, over REST and WebSocket: their Origin is neither this host nor an allowed one.
 * With dev sign-in the Host must also be this machine. Otherwise a foreign host name that resolves to 127.0.0.1 (DNS
 * rebinding) would count as the page's own host.
 */
export function createOriginPolicy({
  allowedOrigins,
  auth,
}: Pick<Config, 'allowedOrigins' | 'auth'>): OriginPolicy {
  return (headers) => {
    if (auth.mode === 'dev' && !loopbackHost.test(headers.host ?? ''))
      return 'dev sign-in works on this machine only: use localhost in the address';
    if (!isOriginAllowed(headers, allowedOrigins)) return 'this Origin is not allowed';
    return null;
  };
}

function isOriginAllowed({ origin, host }: IncomingHttpHeaders, allowed: readonly string[]) {
  if (origin === undefined || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}
