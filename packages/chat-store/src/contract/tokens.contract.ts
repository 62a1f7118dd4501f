import { describe, expect, it } from '@jest/globals';
import { newAuditId, type AuditRecord, type ChatStore, type MintedTokenRecord } from '../index.ts';
import { uniqueId, type TestDatabase } from './world.contract.ts';

const act = (given: Partial<AuditRecord> = {}): AuditRecord => ({
  actor: 'root',
  action: 'token.mint',
  target: null,
  details: {},
  via: 'rest',
  address: '192.0.2.1',
  requestId: null,
  hubId: 'hub-1',
  ...given,
});

const dayMs = 86_400_000;

function tokenOf(given: Partial<MintedTokenRecord> = {}): MintedTokenRecord {
  return {
    jti: uniqueId('jti'),
    sub: uniqueId('agent'),
    minter: uniqueId('minter'),
    kind: null,
    isAdmin: false,
    channels: null,
    mintedAtMs: Date.now(),
    expiresAtMs: Date.now() + dayMs,
    ...given,
  };
}

export function describeTokens(database: () => TestDatabase): void {
  describe('minted tokens', () => {
    it('are listed newest first, by pages, with their minter, until they expire', async () => {
      const { store } = database();
      const minter = uniqueId('minter');
      const nowMs = Date.now();
      const minted = [3, 2, 1, 0].map((agoMs) => tokenOf({ minter, mintedAtMs: nowMs - agoMs }));
      minted.push(tokenOf({ minter, mintedAtMs: nowMs, channels: ['ops'], isAdmin: true }));
      for (const token of minted) await store.recordMinted(token, act());
      await store.recordMinted(tokenOf({ minter, expiresAtMs: nowMs - 1 }), act());
      await store.recordMinted(tokenOf(), act());

      const listed = [];
      for (let cursor: string | undefined; ;) {
        const page = await store.readMinted({ minter, cursor, limit: 2 });
        expect(page.tokens.length).toBeLessThanOrEqual(2);
        listed.push(...page.tokens);
        if (page.nextCursor === null) break;
        cursor = page.nextCursor;
      }
      const expected = [...minted].sort(
        (a, b) => b.mintedAtMs - a.mintedAtMs || (a.jti < b.jti ? 1 : -1),
      );
      expect(listed).toEqual(
        expected.map((token) => ({ ...token, lastUsedAtMs: null, isRevoked: false })),
      );
      const [first] = minted;
      expect((await store.readMinted({ sub: first?.sub, limit: 10 })).tokens).toHaveLength(1);
    });

    it('are listed with their last use and revocation', async () => {
      const { store } = database();
      const minter = uniqueId('minter');
      const used = tokenOf({ minter });
      const revoked = tokenOf({ minter });
      for (const token of [used, revoked]) await store.recordMinted(token, act());
      await store.recordTokenUses([{ ...used, isRefused: false }]);
      await store.revoke({ jti: revoked.jti }, act({ action: 'token.revoke' }));
      const { tokens } = await store.readMinted({ minter, limit: 10 });
      const facts = (jti: string) => {
        const token = tokens.find((one) => one.jti === jti);
        return [token?.lastUsedAtMs, token?.isRevoked];
      };
      expect(facts(used.jti)).toEqual([expect.any(Number), false]);
      expect(facts(revoked.jti)).toEqual([null, true]);
    });
  });

  describe('a revocation', () => {
    const claims = (token: MintedTokenRecord) => ({ ...token, issuedAtMs: token.mintedAtMs });

    it('ends the tokens of the database’s time before it, and no later ones', async () => {
      const { store } = database();
      const sub = uniqueId('agent');
      const beforeMs = await store.readTime();
      await store.revoke({ sub });
      const afterMs = await store.readTime();
      expect(Math.abs(afterMs - Date.now())).toBeLessThan(60_000);
      expect(await store.isRevoked({ sub, issuedAtMs: beforeMs })).toBe(true);
      expect(await store.isRevoked({ sub, issuedAtMs: afterMs + 1 })).toBe(false);
    });

    it('by minter ends the tokens that it minted, and no others', async () => {
      const { store } = database();
      const { mark } = await store.changes(null);
      const [theirs, others] = [tokenOf(), tokenOf()];
      await store.revoke({ minter: theirs.minter });
      expect(await store.isRevoked(claims(theirs))).toBe(true);
      expect(await store.isRevoked(claims(others))).toBe(false);
      expect(await store.isRevoked({ ...claims(theirs), minter: null })).toBe(false);
      const { revoked } = await store.changes(mark);
      expect(revoked).toContainEqual({
        ...{ jti: null, sub: null, minter: theirs.minter },
        revokedAtMs: expect.any(Number),
      });
    });

    it('before a time spares later tokens, and never moves back', async () => {
      const { store } = database();
      const sub = uniqueId('agent');
      const at = (issuedAtMs: number | null) => store.isRevoked({ sub, issuedAtMs });
      const nowMs = Date.now();
      await store.revoke({ sub, beforeMs: nowMs - 1_000 });
      expect([await at(nowMs - 1_000), await at(nowMs - 999), await at(null)]).toEqual([
        true,
        false,
        true,
      ]);
      await store.revoke({ sub, beforeMs: nowMs - 500 });
      await store.revoke({ sub, beforeMs: 1 });
      expect([await at(nowMs - 500), await at(nowMs - 499)]).toEqual([true, false]);
    });

    it('of the future counts as of now', async () => {
      const { store } = database();
      const sub = uniqueId('agent');
      await store.revoke({ sub, beforeMs: Number.MAX_SAFE_INTEGER });
      expect(await store.isRevoked({ sub, issuedAtMs: Date.now() + 60_000 })).toBe(false);
      expect(await store.isRevoked({ sub, issuedAtMs: Date.now() - 60_000 })).toBe(true);
    });

    it('of everyone before a time ends all older tokens', async () => {
      const { store } = database();
      const { mark } = await store.changes(null);
      const sub = uniqueId('agent');
      // This time is long ago, so that it revokes no token of another test.
      await store.revoke({ all: true, beforeMs: 1_000 });
      expect(await store.isRevoked({ sub, issuedAtMs: 1_000 })).toBe(true);
      expect(await store.isRevoked({ sub, issuedAtMs: 1_001 })).toBe(false);
      const { revoked } = await store.changes(mark);
      expect(revoked).toContainEqual({ jti: null, sub: null, minter: null, revokedAtMs: 1_000 });
    });
  });

  describe('the audit log', () => {
    it('has each act with its revocation or token, newest first, by pages', async () => {
      const { store } = database();
      const actor = uniqueId('admin');
      await store.recordMinted(tokenOf(), act({ actor, target: 'a', details: { isAdmin: true } }));
      await store.revoke({ jti: uniqueId('jti') }, act({ actor, action: 'token.revoke' }));
      await store.recordAudit([act({ actor, action: 'channel.delete', target: 'ops' })]);
      const all = await readAll(store, actor);
      expect(all.map(({ action, target }) => [action, target])).toEqual([
        ['channel.delete', 'ops'],
        ['token.revoke', null],
        ['token.mint', 'a'],
      ]);
      expect(all[2]).toMatchObject({
        ...act({ actor, target: 'a', details: { isAdmin: true } }),
        ...{ id: expect.any(String), atMs: expect.any(Number) },
      });
      const { entries } = await store.readAudit({ actor, action: 'token.revoke', limit: 5 });
      expect(entries).toHaveLength(1);
      expect((await store.readAudit({ actor, target: 'ops', limit: 5 })).entries).toHaveLength(1);
    });

    // The race: a write was committed, and its answer was lost.
    it('holds an act once whose record is written again with its id', async () => {
      const { store } = database();
      const actor = uniqueId('admin');
      const [one, two] = [1, 2].map(() => ({ ...act({ actor }), id: newAuditId() }));
      if (!one || !two) throw new Error('no records');
      await store.recordAudit([one]);
      await store.recordAudit([one, two]);
      expect((await readAll(store, actor)).map(({ id }) => id)).toEqual([two.id, one.id]);
      // Negative control: without an id, each write adds an entry.
      await store.recordAudit([act({ actor })]);
      await store.recordAudit([act({ actor })]);
      expect(await readAll(store, actor)).toHaveLength(4);
    });

    it('bounds what a caller puts into an entry', async () => {
      const { store } = database();
      const actor = uniqueId('admin');
      const target = 'x'.repeat(100_000);
      await store.recordAudit([act({ actor, target, details: { text: target } })]);
      const [entry] = (await store.readAudit({ actor, limit: 1 })).entries;
      expect(JSON.stringify(entry).length).toBeLessThan(5_000);
    });

    // The fault: for a token of some fifty channels, the entry lacked the jti and the admin right.
    it('keeps the ids of an act whose details are too large', async () => {
      const { store } = database();
      const actor = uniqueId('admin');
      const channels = Array.from({ length: 64 }, () => uniqueId('c').padEnd(64, 'x'));
      const many = Object.fromEntries(channels.map((name) => [name, name]));
      await store.recordAudit([
        act({ actor, details: { jti: 'j1', isAdmin: true, channels } }),
        act({ actor, details: many }),
      ]);
      const { entries } = await store.readAudit({ actor, limit: 2 });
      expect(entries.map(({ details }) => details)).toEqual([
        { isTooLarge: true },
        { jti: 'j1', isAdmin: true, channels: { isTooLarge: true } },
      ]);
    });

    it('rolls back with its act: a token that exists already is not minted', async () => {
      const { store } = database();
      const actor = uniqueId('admin');
      const token = tokenOf();
      await store.recordMinted(token, act({ actor }));
      await expect(store.recordMinted(token, act({ actor }))).rejects.toMatchObject({
        name: 'ChatStoreError',
      });
      expect(await readAll(store, actor)).toHaveLength(1);
    });
  });
}

async function readAll(store: ChatStore, actor: string) {
  const entries = [];
  for (let cursor: string | undefined; ;) {
    const page = await store.readAudit({ actor, cursor, limit: 2 });
    entries.push(...page.entries);
    if (page.nextCursor === null) return entries;
    cursor = page.nextCursor;
  }
}
