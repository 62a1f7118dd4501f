import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';

export interface Forwarded {
  readonly host: string | null;
  readonly protocol: string | null;
}

const nothing: Forwarded = { host: null, protocol: null };

/**
 * Ignores the headers unless a trusted proxy sent the request. If a header has several values, the last one counts,
 * because the nearest proxy wrote it.
 */
export function createForwarded(
  trustedProxies: readonly string[],
): (request: Pick<IncomingMessage, 'headers' | 'socket'>) => Forwarded {
  if (trustedProxies.length === 0) return () => nothing;
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  return ({ socket, headers }) => {
    if (!isTrusted(socket.remoteAddress ?? '', 0)) return nothing;
    return {
      host: lastOf(headers['x-forwarded-host']),
      protocol: lastOf(headers['x-forwarded-proto'])?.toLowerCase() ?? null,
    };
  };
}

function lastOf(header: string | string[] | undefined): string | null {
  return (
    String(header ?? '')
      .split(',')
      .at(-1)
      ?.trim() || null
  );
}
