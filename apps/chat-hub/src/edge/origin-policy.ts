import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Config } from '../config.ts';
import { createAllowedOrigins } from './allowed-origins.ts';
import { createForwarded, type Forwarded } from './trusted-proxies.ts';

export type OriginPolicy = (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string | null;

export type HostPolicy = (headers: IncomingHttpHeaders) => string | null;

const loopbackHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

const foreignOrigin =
  'this Origin is not allowed: the hub’s own address is set with HUB_PUBLIC_URL if a proxy changes the Host, that of another site with HUB_ALLOWED_ORIGINS';

/**
 * With dev sign-in, the Host must name this machine. Otherwise a foreign page could give its own name the address
 * 127.0.0.1 (DNS rebinding), and would count as the hub's own page.
 */
export function createHostPolicy({ auth }: Pick<Config, 'auth'>): HostPolicy {
  return ({ host }) =>
    auth.mode === 'dev' && !loopbackHost.test(host ?? '')
      ? 'dev sign-in works on this machine only: use localhost in the address'
      : null;
}

/**
 * Applies the Host policy, then refuses foreign web pages. A page is foreign unless its Origin is this host, the host
 * of the public URL or an allowed origin.
 */
export function createOriginPolicy(
  config: Pick<Config, 'allowedOrigins' | 'auth' | 'publicUrl' | 'trustedProxies'>,
): OriginPolicy {
  const { allowedOrigins, publicUrl, trustedProxies } = config;
  const hostPolicy = createHostPolicy(config);
  const forwarded = createForwarded(trustedProxies);
  const isAllowed = createAllowedOrigins([
    ...allowedOrigins,
    ...(publicUrl === null ? [] : [new URL(publicUrl).origin]),
  ]);
  return (request) => {
    const denied = hostPolicy(request.headers);
    if (denied !== null) return denied;
    const { origin, host } = request.headers;
    if (origin === undefined || isAllowed(origin)) return null;
    return isOwn(origin, host, forwarded(request)) ? null : foreignOrigin;
  };
}

/** Compares parsed URLs, because browsers omit a default port and some proxies add it. */
function isOwn(origin: string, host: string | undefined, forwarded: Forwarded): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  // A page that came without TLS may be an attacker's. So it counts as foreign if this request came over TLS.
  if (protocol === 'http:' && forwarded.protocol === 'https') return false;
  return [forwarded.host, host].some((own) => {
    const url = `${protocol}//${own ?? ''}`;
    return (
      own && /^[^/?#@\\\s]+$/.test(own) && URL.canParse(url) && new URL(url).host === originHost
    );
  });
}
