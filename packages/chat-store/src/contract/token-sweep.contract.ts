import { describe, expect, it } from '@jest/globals';
import type { StoreCore } from '../core/store-core.ts';
import { openBeforeAll, type OpenedDatabase } from './opened-database.contract.ts';

const dayMs = 86_400_000;

export function describeTokenSweep(name: string, start: () => Promise<OpenedDatabase>): void {
  describe(`the sweep of tokens on ${name}`, () => {
    let database: OpenedDatabase;
    let core: StoreCore;
    openBeforeAll(start, (opened) => ({ database, core } = opened));

    const act = (action: string) => ({
      ...{ actor: 'root', action, target: null, details: {} },
      ...{ via: 'command' as const, address: null, requestId: null, hubId: null },
    });
    async function sweepAll(auditRetentionMs?: number) {
      while ((await core.sweep(undefined, undefined, auditRetentionMs)).isMore);
    }
    const mint = (jti: string, expiresAtMs: number) =>
      core.recordMinted(
        {
          ...{ jti, sub: 'bot', minter: 'root', kind: null, isAdmin: false, channels: null },
          ...{ mintedAtMs: expiresAtMs - 1, expiresAtMs },
        },
        act('token.mint'),
      );

    it('removes revocations of tokens that have expired, and of no other', async () => {
      const longAgo = Date.now() - 2 * dayMs;
      const later = Date.now() + dayMs;
      await mint('expired', longAgo);
      await mint('valid', later);
      // No hub has minted `shown` and `never-shown`, so only a use can show when they expire.
      for (const jti of ['expired', 'valid', 'shown', 'never-shown']) await core.revoke({ jti });
      await core.recordTokenUses([{ jti: 'shown', expiresAtMs: longAgo, isRefused: true }]);
      await core.revoke({ sub: 'bot', beforeMs: longAgo });
      await core.revoke({ minter: 'root', beforeMs: longAgo });
      await core.revoke({ all: true, beforeMs: 1 });
      await sweepAll();
      const revoked = (jti: string) => core.isRevoked({ jti, sub: 'x', issuedAtMs: Date.now() });
      expect(await Promise.all(['expired', 'shown', 'valid', 'never-shown'].map(revoked))).toEqual([
        false,
        false,
        true,
        true,
      ]);
      expect(await core.isRevoked({ sub: 'bot', issuedAtMs: null })).toBe(true);
      expect(database.count('select count(*) from revoked_tokens')).toBe(5);
      expect(database.count('select count(*) from minted_tokens')).toBe(1);
    });

    // The fault: a kick's reason stayed until an admin's next order, even after the agent was erased.
    it('removes orders about agents that have ended, and of no other', async () => {
      const record = act('agent.kick');
      await core.giveAgentOrder({ agentId: 'a', kind: 'kick', value: 'why' }, 60_000, record);
      await core.giveAgentOrder({ agentId: 'a', kind: 'limit', value: '6/60' }, 60_000, record);
      await core.giveAgentOrder({ agentId: 'b', kind: 'limit', value: '6/60' }, null, record);
      database.run(`update agent_orders set until_at = 1 where kind = 'kick'`);
      await sweepAll();
      expect(database.count('select count(*) from agent_orders')).toBe(2);
      expect((await core.agentOrders()).map(({ agentId }) => agentId).sort()).toEqual(['a', 'b']);
    });

    it('removes thousands of expired rows piece by piece', async () => {
      const series =
        name === 'SQLite'
          ? `(with recursive s(n) as (select 1 union all select n + 1 from s where n < 1600) select n from s) as s`
          : `(select n from generate_series(1, 1600) as g(n)) as s`;
      database.run(`insert into revoked_tokens (kind, value, revoked_at, touched, expires_at)
        select 'jti', 'many-' || n, 1, 0, 1 from ${series}`);
      const first = await core.sweep();
      expect(first.isMore).toBe(true);
      expect(
        database.count(`select count(*) from revoked_tokens where value like 'many-%'`),
      ).toBeGreaterThan(1_000);
      await sweepAll();
      expect(database.count(`select count(*) from revoked_tokens where value like 'many-%'`)).toBe(
        0,
      );
    });

    it('removes entries of the audit log that are older than its retention', async () => {
      await core.recordAudit([act('old'), act('new')]);
      database.run(`update audit_log set at = at - ${2 * dayMs} where action = 'old'`);
      await sweepAll(3 * dayMs);
      const actions = async () =>
        (await core.readAudit({ actor: 'root', limit: 100 })).entries.map(({ action }) => action);
      expect(await actions()).toEqual(expect.arrayContaining(['old', 'new']));
      await sweepAll(dayMs);
      expect(await actions()).not.toContain('old');
      expect(await actions()).toContain('new');
    });
  });
}
