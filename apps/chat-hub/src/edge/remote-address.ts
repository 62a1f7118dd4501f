import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import ipaddr from 'ipaddr.js';

/** Says from which address a request came, as far as it can be believed. */
export type RemoteAddress = (request: IncomingMessage) => string;

/**
 * The address of the connection; behind trusted proxies the last one in `X-Forwarded-For` that is none of theirs.
 * IPv6 addresses of one /64 are one: that is what a single customer gets.
 * @throws {TypeError} when a proxy is no address, range (CIDR) or one of `loopback`, `linklocal`, `uniquelocal`
 */
export function createRemoteAddress(trustedProxies: readonly string[]): RemoteAddress {
  if (trustedProxies.length === 0) return ({ socket }) => groupOf(socket.remoteAddress ?? '');
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  return (request) => groupOf(proxyAddr(request, isTrusted));
}

/** Some proxies write the port as well, and brackets around IPv6. */
const withPort = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d+)?$/;

function groupOf(written: string): string {
  const [, v6, v4] = withPort.exec(written) ?? [];
  const address = v6 ?? v4 ?? written;
  // The header may hold anything, of any length.
  if (!ipaddr.isValid(address)) return address.slice(0, 64);
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${(parsed as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
