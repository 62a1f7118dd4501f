import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { createRemoteAddress } from './remote-address.ts';

const from = (remoteAddress: string | undefined, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;

describe('the remote address of a request', () => {
  it('is the address of the connection when no proxy is trusted, even with a header', () => {
    const address = createRemoteAddress([]);
    expect(address(from('192.0.2.1', '203.0.113.7'))).toBe('192.0.2.1');
    expect(address(from('::ffff:192.0.2.1'))).toBe('192.0.2.1');
    expect(address(from(undefined))).toBe('');
  });

  it('is the last address before the trusted proxies, never an earlier one that the client wrote itself', () => {
    const address = createRemoteAddress(['10.0.0.0/8', '::1']);
    expect(address(from('10.1.2.3', '198.51.100.1, 203.0.113.7, 10.9.9.9'))).toBe('203.0.113.7');
    expect(address(from('203.0.113.9', '203.0.113.7'))).toBe('203.0.113.9');
    expect(address(from('::1', '203.0.113.7:51234'))).toBe('203.0.113.7');
    expect(address(from('::1', '[2001:db8:1:2::9]:443'))).toBe('2001:db8:1:2::/64');
    expect(address(from('10.1.2.3', 'x'.repeat(9_000)))).toHaveLength(64);
  });

  it('is the same for all of an IPv6 /64', () => {
    const address = createRemoteAddress([]);
    expect(address(from('2001:db8:1:2:3:4:5:6'))).toBe(address(from('2001:db8:1:2::1')));
    expect(address(from('2001:db8:1:3::1'))).not.toBe(address(from('2001:db8:1:2::1')));
  });

  it('accepts proxies as addresses, ranges and named ranges only', () => {
    expect(createRemoteAddress(['loopback'])(from('127.0.0.9', '203.0.113.7'))).toBe('203.0.113.7');
    for (const bad of ['proxy.example.com', '10.0.0.0/99', '300.1.1.1'])
      expect(() => createRemoteAddress([bad])).toThrow();
  });
});
