import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import ipaddr from 'ipaddr.js';

export type RemoteAddress = (request: IncomingMessage) => string;

/**
 * Behind trusted proxies, returns the last address in `X-Forwarded-For` that is not a trusted proxy. All addresses of
 * an IPv6 /64 count as one, because a single customer gets a whole /64.
 * @throws {TypeError} when a proxy is not an address, a range (CIDR) or one of `loopback`, `linklocal`, `uniquelocal`
 */
export function createRemoteAddress(trustedProxies: readonly string[]): RemoteAddress {
  if (trustedProxies.length === 0) return ({ socket }) => groupOf(socket.remoteAddress ?? '');
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  return (request) => groupOf(proxyAddr(request, isTrusted));
}

/** Some proxies add the port, and brackets around IPv6. */
const withPort = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d+)?$/;

function groupOf(written: string): string {
  const [, v6, v4] = withPort.exec(written) ?? [];
  const address = v6 ?? v4 ?? written;
  // The client controls `X-Forwarded-For`, so the text may have any content and length.
  if (!ipaddr.isValid(address)) return address.slice(0, 64);
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${(parsed as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
