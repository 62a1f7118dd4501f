import { describe, expect, it } from '@jest/globals';
import type { Identity } from './identity.ts';
import { createRevocations, isRevokedBy } from './revocations.ts';

const token: Identity = {
  agentId: 'ana',
  kind: 'agent',
  isAdmin: false,
  observesPrivate: false,
  onBehalfOf: null,
  channels: null,
  jti: 'j1',
  minter: 'root',
  issuedAtMs: 1_000,
  expiresAtMs: 9_000,
};
const revoked = { jti: null, sub: null, minter: null, revokedAtMs: 1_000 };

describe('a revocation', () => {
  it.each([
    ['its jti', { ...revoked, jti: 'j1', revokedAtMs: 0 }, true],
    ['another jti', { ...revoked, jti: 'j2' }, false],
    ['its agent', { ...revoked, sub: 'ana' }, true],
    ['another agent', { ...revoked, sub: 'ben' }, false],
    ['its minter', { ...revoked, minter: 'root' }, true],
    ['another minter', { ...revoked, minter: 'ben' }, false],
    ['everyone', revoked, true],
    ['everyone before it was issued', { ...revoked, revokedAtMs: 999 }, false],
  ])('of %s', (_, entry, isEnded) => {
    expect(isRevokedBy(token, entry)).toBe(isEnded);
  });

  it('ends any token without a time of issue', () => {
    expect(isRevokedBy({ ...token, issuedAtMs: null }, { ...revoked, revokedAtMs: 1 })).toBe(true);
  });

  it('by minter or time ends no connection of dev sign-in', () => {
    const dev = { ...token, jti: null, minter: null, issuedAtMs: null, expiresAtMs: null };
    expect(isRevokedBy(dev, revoked)).toBe(false);
    expect(isRevokedBy(dev, { ...revoked, minter: 'root' })).toBe(false);
    expect(isRevokedBy(dev, { ...revoked, sub: 'ana' })).toBe(true);
  });

  // The race: a new socket's token is verified, and then revoked. The hub closes the token's open sessions before the
  // new socket has a session.
  it('is remembered for a minute, for sockets that open just after it', () => {
    let nowMs = 0;
    const revocations = createRevocations(() => nowMs);
    revocations.add([{ ...revoked, sub: 'ana' }]);
    expect([revocations.has(token), revocations.has({ ...token, agentId: 'ben' })]).toEqual([
      true,
      false,
    ]);
    nowMs = 60_001;
    revocations.add([{ ...revoked, sub: 'ben' }]);
    expect(revocations.has(token)).toBe(false);
  });
});
