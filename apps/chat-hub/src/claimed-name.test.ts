import { describe, expect, it } from '@jest/globals';
import { claimedName } from './claimed-name.ts';

const jwt = (payload: object, signature = 's') =>
  `h.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.${signature}`;

describe('the name that a client claims', () => {
  it('is the same with a newer token of the same agent', () => {
    const [one, two] = [jwt({ sub: 'ana', iat: 1 }), jwt({ sub: 'ana', iat: 2 }, 't')];
    expect(claimedName({ token: one, devAgent: null })).toBe('ana');
    expect(claimedName({ token: two, devAgent: null })).toBe('ana');
  });

  it.each(['', 'x', '..', 'a.b.c', jwt({}), jwt({ sub: 7 }), jwt({ sub: '' }), 'h.bnVsbA.s'])(
    'is no secret and bounded for the token %j',
    (token) => {
      const name = claimedName({ token, devAgent: null });
      expect(name).toMatch(/^[0-9a-f]{64}$/);
    },
  );

  it('is the dev agent or else the address, and never long', () => {
    expect(claimedName({ token: null, devAgent: 'ben' }, '::1')).toBe('ben');
    expect(claimedName({ token: null, devAgent: null }, '::1')).toBe('::1');
    const long = 'x'.repeat(10_000);
    expect(claimedName({ token: jwt({ sub: long }), devAgent: null })).toHaveLength(128);
    expect(claimedName({ token: null, devAgent: long })).toHaveLength(128);
  });
});
