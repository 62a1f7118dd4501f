import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { parseConfig } from '../config.ts';
import { createOriginPolicy } from './origin-policy.ts';

const HUB_JWT_SECRET = 'a-secret-of-more-than-thirty-two-characters';

function policyOf(environment: Record<string, string> = {}) {
  const policy = createOriginPolicy(parseConfig({ HUB_JWT_SECRET, ...environment }));
  return (headers: Record<string, string>, remoteAddress = '192.0.2.1') =>
    policy({ headers, socket: { remoteAddress } } as unknown as IncomingMessage) === null;
}

describe('the Origin of a request', () => {
  it('is the hub’s own when it names the Host, with or without the default port', () => {
    const isAllowed = policyOf();
    for (const [origin, host] of [
      ['https://chat.example.com', 'chat.example.com'],
      ['https://chat.example.com', 'chat.example.com:443'],
      ['http://chat.example.com', 'CHAT.example.com:80'],
      ['https://chat.example.com:8443', 'chat.example.com:8443'],
      ['http://[::1]:8080', '[::1]:8080'],
    ] as const)
      expect([origin, host, isAllowed({ origin, host })]).toEqual([origin, host, true]);
    for (const [origin, host] of [
      ['https://chat.example.com', 'chat.example.com:80'],
      ['http://chat.example.com', 'chat.example.com:443'],
      ['https://chat.example.com', 'chat.example.com:8443'],
      ['https://chat.example.com', 'evil@chat.example.com'],
      ['https://chat.example.com', 'chat.example.com/evil'],
      ['https://evil.example.com', 'chat.example.com'],
      ['https://chat.example.com', ''],
      ['null', 'null'],
      ['file://', ''],
    ] as const)
      expect([origin, host, isAllowed({ origin, host })]).toEqual([origin, host, false]);
    expect(isAllowed({ host: 'chat.example.com' })).toBe(true);
    expect(isAllowed({ origin: 'https://chat.example.com' })).toBe(false);
  });

  it('is the hub’s own when it is that of the public URL, whatever Host a proxy sends', () => {
    const headers = { origin: 'https://example.com', host: '127.0.0.1:8080' };
    expect(policyOf({ HUB_PUBLIC_URL: 'https://example.com/chat' })(headers)).toBe(true);
    expect(policyOf()(headers)).toBe(false);
  });

  it('is compared with the forwarded Host and protocol of a trusted proxy only', () => {
    const isAllowed = policyOf({ HUB_TRUSTED_PROXIES: '10.0.0.0/8' });
    const origin = 'https://chat.example.com';
    const forwarded = { origin, host: '127.0.0.1:8080', 'x-forwarded-host': 'chat.example.com' };
    expect(isAllowed(forwarded, '10.1.2.3')).toBe(true);
    expect(isAllowed(forwarded, '192.0.2.1')).toBe(false);
    const chained = { ...forwarded, 'x-forwarded-host': 'chat.example.com, evil.example.com' };
    expect(isAllowed(chained, '10.1.2.3')).toBe(false);

    const plain = { origin: 'http://chat.example.com', host: 'chat.example.com' };
    const overTls = { ...plain, 'x-forwarded-proto': 'https' };
    expect(isAllowed(overTls, '10.1.2.3')).toBe(false);
    expect(isAllowed(overTls, '192.0.2.1')).toBe(true);
    expect(isAllowed({ ...plain, 'x-forwarded-proto': 'http' }, '10.1.2.3')).toBe(true);
  });

  it('may be any host below the domain of a wildcard, with its scheme and port', () => {
    const isAllowed = policyOf({
      HUB_ALLOWED_ORIGINS: 'https://*.example.com, http://*.localhost:5173',
    });
    const host = 'hub.example.org';
    for (const origin of [
      'https://chat.example.com',
      'https://a.b.c-1.example.com',
      'https://xn--bcher-kva.example.com',
      'http://app.localhost:5173',
    ])
      expect([origin, isAllowed({ origin, host })]).toEqual([origin, true]);
    for (const origin of [
      'https://example.com',
      'https://.example.com',
      'https://evilexample.com',
      'https://example.com.evil.org',
      'https://evil.org/.example.com',
      'https://evil.org#.example.com',
      'https://user@.example.com',
      'https://chat.example.com:8443',
      'http://chat.example.com',
      `https://${'a.'.repeat(200)}example.com`,
      'http://localhost:5173',
      'https://*.example.com/',
      'https://*.example.com',
    ])
      expect([origin, isAllowed({ origin, host })]).toEqual([origin, false]);
  });
});
