import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LeaseStoreOptions } from '../options.ts';
import type { Lease, LeaseStore } from './lease-store.ts';
import type { PresenceState } from '../state.ts';

export function presenceContract(
  name: string,
  make: (options: Required<LeaseStoreOptions>) => LeaseStore,
): void {
  const leaseMs = 30_000;
  const startMs = 1_900_000_000_000;
  const online: PresenceState = { status: 'online', customStatus: null, avatar: null };
  const away: PresenceState = { status: 'away', customStatus: 'Reviewing PRs', avatar: '🤖' };
  const lease = (agentId: string, sessionId = 's1', hubId = 'hub-1'): Lease => ({
    agentId,
    hubId,
    sessionId,
  });

  describe(`${name}: presence`, () => {
    let nowMs: number;
    let presence: LeaseStore;
    const ids = async (channelId: string) =>
      (await presence.list(channelId)).presences.map(({ agentId }) => agentId);

    beforeEach(() => {
      nowMs = startMs;
      presence = make({ leaseMs, clock: () => nowMs });
    });
    afterEach(() => presence.close());

    it('Presence tracking (join → heartbeat → leave): is announced once, kept, and ended once', async () => {
      const joined = { agentId: 'a', ...online, lastSeen: startMs };
      expect(await presence.join('c', lease('a'))).toEqual(joined);
      expect(await presence.get('c', 'a')).toEqual(joined);

      for (let beat = 1; beat <= 6; beat += 1) {
        nowMs += 10_000;
        const renewed = await presence.renew([
          { channelId: 'c', lease: lease('a'), state: online },
        ]);
        expect(renewed).toEqual([]);
      }
      expect(await presence.get('c', 'a')).toEqual({ ...joined, lastSeen: startMs + 60_000 });

      nowMs += 1000;
      const left = { ...joined, status: 'offline', lastSeen: startMs + 61_000 };
      expect(await presence.leave('c', lease('a'))).toEqual(left);
      expect(await presence.get('c', 'a')).toBeNull();
      expect(await presence.leave('c', lease('a'))).toBeNull();
      nowMs += leaseMs;
      expect(await presence.reap(['c'])).toEqual([]);
    });

    it('TTL expiry (presence): a lease lasts to its end and not a millisecond longer', async () => {
      await presence.join('c', lease('a'), away);
      nowMs += leaseMs - 1;
      expect(await presence.get('c', 'a')).toMatchObject({ status: 'away' });
      expect(await presence.reap(['c'])).toEqual([]);
      nowMs += 1;
      expect(await presence.get('c', 'a')).toBeNull();
      expect(await presence.list('c')).toMatchObject({ presences: [], nextCursor: null, count: 0 });
    });

    it('reports an expired agent offline exactly once', async () => {
      await presence.join('c', lease('a'), away);
      nowMs += leaseMs;
      expect(await presence.reap(['c', 'other'])).toEqual([
        {
          channelId: 'c',
          record: { agentId: 'a', ...away, status: 'offline', lastSeen: startMs },
        },
      ]);
      expect(await presence.reap(['c', 'other'])).toEqual([]);
    });

    it('never revives an expired lease by reading', async () => {
      await presence.join('c', lease('a'));
      nowMs += leaseMs;
      for (let read = 0; read < 3; read += 1) {
        expect(await presence.get('c', 'a')).toBeNull();
        expect(await ids('c')).toEqual([]);
      }
      expect(await presence.reap(['c'])).toHaveLength(1);
      expect(await presence.get('c', 'a')).toBeNull();
    });

    it('reports nothing when the same connection joins again with the same state', async () => {
      await presence.join('c', lease('a'), away);
      nowMs += 5000;
      expect(await presence.join('c', lease('a'))).toBeNull();
      expect(await presence.join('c', lease('a'), away)).toBeNull();
      expect((await presence.list('c')).count).toBe(1);
      expect(await presence.leave('c', lease('a'))).toMatchObject({ status: 'offline' });
    });

    it('keeps the live state when another connection joins without one', async () => {
      await presence.join('c', lease('a', 's1'), away);
      expect(await presence.join('c', lease('a', 's2', 'hub-2'))).toBeNull();
      expect(await presence.get('c', 'a')).toMatchObject(away);
    });

    it('reports a join with a new state, and keeps the fields that it leaves out', async () => {
      await presence.join('c', lease('a', 's1'), away);
      const joined = await presence.join('c', lease('a', 's2'), { status: 'dnd', avatar: null });
      expect(joined).toMatchObject({ status: 'dnd', customStatus: 'Reviewing PRs', avatar: null });
    });

    it('starts from the default state after the agent was gone', async () => {
      await presence.join('c', lease('a'), away);
      nowMs += leaseMs;
      expect(await presence.join('c', lease('a'))).toMatchObject(online);
      expect(await presence.reap(['c'])).toEqual([]);
      await presence.leave('c', lease('a'));
      expect(await presence.join('c', lease('a'))).toMatchObject(online);
    });

    it('uses the initial state only where the agent is not present', async () => {
      const [first] = await presence.joinMany([
        { channelId: 'c', lease: lease('a', 's1'), initial: away },
      ]);
      expect(first).toMatchObject({ changed: true, record: away });
      const [second] = await presence.joinMany([
        { channelId: 'c', lease: lease('a', 's2'), initial: online },
      ]);
      expect(second).toMatchObject({ changed: false, record: away });
    });

    it('treats an empty text as null', async () => {
      const joined = await presence.join('c', lease('a'), { customStatus: '', avatar: '🤖' });
      expect(joined).toMatchObject({ customStatus: null, avatar: '🤖' });
      expect(await presence.get('c', 'a')).toMatchObject({ customStatus: null, avatar: '🤖' });
    });

    it('keeps metadata with the state: a join keeps it, null and a state without it remove it', async () => {
      const metadata = { task: 'review', load: 0.5, labels: ['a', 'ü'] };
      expect(await presence.join('c', lease('a', 's1'), { metadata })).toEqual({
        agentId: 'a',
        ...online,
        metadata,
        lastSeen: nowMs,
      });
      expect(await presence.join('c', lease('a', 's2'), { metadata: { ...metadata } })).toBeNull();
      expect(await presence.join('c', lease('a', 's3'))).toBeNull();
      expect((await presence.list('c')).presences).toMatchObject([{ metadata }]);
      const known = { channelId: 'c', lease: lease('a', 's1'), state: { ...online, metadata } };
      expect(await presence.renew([known])).toEqual([]);

      const changed = { ...metadata, load: 0.75 };
      expect(await presence.update(['c'], 'a', { ...online, metadata: changed })).toMatchObject([
        { record: { metadata: changed } },
      ]);
      expect(await presence.renew([known])).toMatchObject([{ record: { metadata: changed } }]);
      const removed = await presence.join('c', lease('a', 's1'), { metadata: null });
      expect(removed).not.toHaveProperty('metadata');

      await presence.update(['c'], 'a', { ...online, metadata });
      await presence.update(['c'], 'a', away);
      expect(await presence.get('c', 'a')).not.toHaveProperty('metadata');
      await presence.update(['c'], 'a', { ...away, metadata });
      for (const sessionId of ['s1', 's2']) await presence.leave('c', lease('a', sessionId));
      expect(await presence.leave('c', lease('a', 's3'))).toMatchObject({
        status: 'offline',
        metadata,
      });
    });

    it('does not keep the object of the caller', async () => {
      const metadata = { task: 'review' };
      await presence.join('c', lease('a'), { metadata });
      metadata.task = 'changed';
      expect(await presence.get('c', 'a')).toMatchObject({ metadata: { task: 'review' } });
    });

    it('bounds metadata by the bytes of its JSON', async () => {
      const frame = JSON.stringify({ text: '' }).length;
      const text = 'ä'.repeat((1024 - frame) / 2);
      const fits = { metadata: { text } };
      expect(await presence.join('c', lease('a'), fits)).toMatchObject(fits);
      const refused = { name: 'PresenceError', code: 'invalid_argument' };
      const circular: Record<string, unknown> = {};
      circular['self'] = circular;
      const wrong = [{ text: `${text}ä` }, circular, [], 'text', 7, { big: 1n }, new Date(0)];
      for (const metadata of wrong) {
        const state = { metadata } as never;
        await expect(presence.join('c', lease('b'), state)).rejects.toMatchObject(refused);
      }
      expect(await ids('c')).toEqual(['a']);
    });

    it('lists each connection with the end of its lease, page by page', async () => {
      await presence.join('c', lease('b', 's1'));
      nowMs += 1000;
      await presence.join('c', lease('a', 's2'));
      await presence.join('c', lease('a', 's1', 'hub-2'));
      await presence.join('c', lease('a', 's1'));
      await presence.join('c', lease('a-1', 's1'));
      await presence.join('other', lease('a', 's9'));
      const early = startMs + leaseMs;
      const late = early + 1000;
      const all = [
        { ...lease('a', 's1'), endsAtMs: late },
        { ...lease('a', 's2'), endsAtMs: late },
        { ...lease('a', 's1', 'hub-2'), endsAtMs: late },
        { ...lease('a-1', 's1'), endsAtMs: late },
        { ...lease('b', 's1'), endsAtMs: early },
      ];
      const whole = { connections: all, nextCursor: null, atMs: nowMs };
      expect(await presence.listConnections('c')).toEqual(whole);
      const own = await presence.listConnections('c', { agentId: 'a' });
      expect(own.connections).toEqual(all.slice(0, 3));

      for (const agentId of [undefined, 'a']) {
        const found: unknown[] = [];
        let cursor: string | null = null;
        do {
          const page = await presence.listConnections('c', {
            ...(agentId && { agentId }),
            cursor,
            limit: 2,
          });
          expect(page.connections.length).toBeLessThanOrEqual(2);
          found.push(...page.connections);
          cursor = page.nextCursor;
        } while (cursor !== null);
        expect(found).toEqual(agentId ? all.slice(0, 3) : all);
      }

      await presence.leave('c', lease('a', 's2'));
      nowMs = early;
      const left = (await presence.listConnections('c')).connections;
      expect(left.map(({ agentId, sessionId }) => agentId + sessionId)).toEqual([
        'as1',
        'as1',
        'a-1s1',
      ]);
      expect((await presence.listConnections('empty')).connections).toEqual([]);
    });

    it('keeps an agent until the last of several connections has left', async () => {
      await presence.join('c', lease('a', 's1', 'hub-1'));
      await presence.join('c', lease('a', 's1', 'hub-2'));
      await presence.join('c', lease('a', 's2', 'hub-2'));
      expect(await presence.list('c')).toMatchObject({ count: 3 });
      expect(await ids('c')).toEqual(['a']);
      expect(await presence.leave('c', lease('a', 's1', 'hub-2'))).toBeNull();
      expect(await presence.leave('c', lease('a', 's1', 'hub-1'))).toBeNull();
      expect(await ids('c')).toEqual(['a']);
      expect(await presence.leave('c', lease('a', 's2', 'hub-2'))).toMatchObject({
        status: 'offline',
      });
    });

    it('ends the leases of a killed process, while a living connection keeps its agent present', async () => {
      await presence.join('c', lease('ghost', 's1', 'dead-hub'));
      await presence.join('c', lease('both', 's1', 'dead-hub'));
      await presence.join('c', lease('both', 's2'));
      nowMs += leaseMs - 1;
      await presence.renew([{ channelId: 'c', lease: lease('both', 's2'), state: online }]);
      nowMs += 1;
      expect(await ids('c')).toEqual(['both']);
      const reaped = await presence.reap(['c']);
      expect(reaped.map(({ record }) => record.agentId)).toEqual(['ghost']);
      expect((await presence.list('c')).count).toBe(1);
      nowMs += leaseMs;
      expect(await presence.reap(['c'])).toMatchObject([{ record: { agentId: 'both' } }]);
    });

    it('reports once when a connection leaves while another has expired', async () => {
      await presence.join('c', lease('a', 's1', 'dead-hub'));
      nowMs += leaseMs;
      await presence.join('c', lease('a', 's2'));
      expect(await presence.leave('c', lease('a', 's2'))).toMatchObject({ status: 'offline' });
      expect(await presence.reap(['c'])).toEqual([]);
    });

    it('sets a state wherever the agent is present, and nowhere else', async () => {
      await presence.join('c1', lease('a'));
      await presence.join('c2', lease('a'), away);
      await presence.join('c3', lease('b'));
      nowMs += 1000;
      expect(await presence.update(['c1', 'c2', 'c3'], 'a', away)).toEqual([
        { channelId: 'c1', record: { agentId: 'a', ...away, lastSeen: startMs + 1000 } },
      ]);
      expect(await presence.update(['c1', 'c2', 'c3'], 'a', away)).toEqual([]);
      expect(await presence.get('c3', 'a')).toBeNull();
      nowMs += leaseMs;
      expect(await presence.update(['c1'], 'a', online)).toEqual([]);
      expect(await presence.get('c1', 'a')).toBeNull();
    });

    it('sets states of many agents at once', async () => {
      await presence.join('c1', lease('a'));
      await presence.join('c2', lease('a'));
      await presence.join('c1', lease('b'), away);
      const entries = [
        { channelId: 'c1', agentId: 'a', state: away },
        { channelId: 'c1', agentId: 'b', state: away },
        { channelId: 'c2', agentId: 'a', state: away },
        { channelId: 'c2', agentId: 'nobody', state: away },
      ];
      expect(await presence.updateMany(entries)).toEqual([
        { agentId: 'a', ...away, lastSeen: nowMs },
        null,
        { agentId: 'a', ...away, lastSeen: nowMs },
        null,
      ]);
      expect(await presence.updateMany(entries)).toEqual([null, null, null, null]);
    });

    it("applies the agent's last call to all its connections, whatever their heartbeats write", async () => {
      await presence.join('c', lease('a', 's1', 'hub-1'), away);
      await presence.join('c', lease('a', 's1', 'hub-2'));
      await presence.update(['c'], 'a', { ...online, status: 'dnd' });
      const findings = await presence.renew([
        { channelId: 'c', lease: lease('a', 's1', 'hub-1'), state: away },
      ]);
      expect(findings).toMatchObject([
        { channelId: 'c', gone: false, record: { agentId: 'a', status: 'dnd' } },
      ]);
      expect(await presence.get('c', 'a')).toMatchObject({ status: 'dnd', customStatus: null });
    });

    it('takes a reaped lease again with a heartbeat, and reports it', async () => {
      await presence.join('c', lease('a'), away);
      nowMs += leaseMs;
      await presence.reap(['c']);
      const beat = { channelId: 'c', lease: lease('a'), state: away };
      expect(await presence.renew([beat])).toEqual([
        {
          channelId: 'c',
          gone: true,
          stateGone: true,
          record: { agentId: 'a', ...away, lastSeen: nowMs },
        },
      ]);
      expect(await presence.renew([beat])).toEqual([]);
      expect(await presence.get('c', 'a')).toMatchObject(away);
    });

    it('renews, joins and ends many leases of many channels at once', async () => {
      const entries = Array.from({ length: 250 }, (_, n) => ({
        channelId: `c${n % 2}`,
        lease: lease(`agent-${n}`),
        state: online,
      }));
      const joined = await presence.joinMany(entries);
      expect(joined.map((outcome) => 'changed' in outcome && outcome.record.agentId)).toEqual(
        entries.map((entry) => entry.lease.agentId),
      );
      nowMs += leaseMs - 1;
      expect(await presence.renew(entries)).toEqual([]);
      nowMs += leaseMs - 1;
      expect((await presence.list('c0')).count).toBe(125);
      expect((await presence.list('c1')).count).toBe(125);
      const left = await presence.leaveMany([...entries, ...entries.slice(0, 1)]);
      expect(left.map((record) => record && 'agentId' in record && record.agentId)).toEqual([
        ...entries.map((entry) => entry.lease.agentId),
        null,
      ]);
      expect(await presence.list('c0')).toMatchObject({
        presences: [],
        nextCursor: null,
        count: 0,
      });
    });

    it('pages in the order of agentIds, each agent once', async () => {
      const agentIds = ['a', 'a-1', 'a.b', 'a1', 'a10', 'a2', 'B', 'z|x', 'z~'];
      for (const agentId of agentIds) {
        await presence.join('c', lease(agentId, 's1'));
        await presence.join('c', lease(agentId, 's2', 'hub-2'));
      }
      const paged: string[] = [];
      let cursor: string | null = null;
      let pages = 0;
      do {
        const page = await presence.list('c', { cursor, limit: 2 });
        expect(page.count).toBe(2 * agentIds.length);
        expect(page.presences.length).toBeLessThanOrEqual(2);
        paged.push(...page.presences.map(({ agentId }) => agentId));
        cursor = page.nextCursor;
        pages += 1;
      } while (cursor !== null);
      expect(paged).toEqual([...agentIds].sort());
      expect(pages).toBe(5);
      expect((await presence.list('c', { limit: 9 })).nextCursor).toBeNull();
      expect((await presence.list('c', { cursor: 'a1' })).presences[0]).toMatchObject({
        agentId: 'a10',
      });
    });

    it('skips expired agents between the pages', async () => {
      for (const agentId of ['a', 'b', 'c', 'd']) await presence.join('c', lease(agentId));
      nowMs += leaseMs - 1;
      const renewed = ['b', 'd'].map((agentId) => ({
        channelId: 'c',
        lease: lease(agentId),
        state: online,
      }));
      await presence.renew(renewed);
      nowMs += 1;
      expect(await ids('c')).toEqual(['b', 'd']);
      const first = await presence.list('c', { limit: 1 });
      expect(first).toMatchObject({ presences: [{ agentId: 'b' }], count: 2 });
      const second = await presence.list('c', { limit: 1, cursor: first.nextCursor });
      expect(second.presences).toMatchObject([{ agentId: 'd' }]);
    });

    it('also lists, on request, agents whose leases have expired, until they are reaped', async () => {
      await presence.join('c', lease('a'), away);
      nowMs += 1_000;
      await presence.join('c', lease('b'));
      nowMs += leaseMs - 1_000;
      expect(await ids('c')).toEqual(['b']);
      const unreaped = async () => (await presence.list('c', { unreaped: true })).presences;
      expect(await unreaped()).toMatchObject([
        { agentId: 'a', ...away, lastSeen: startMs },
        { agentId: 'b', ...online },
      ]);
      await presence.reap(['c']);
      expect(await unreaped()).toMatchObject([{ agentId: 'b' }]);
    });

    it('keeps channels apart', async () => {
      await presence.join('c', lease('a'));
      expect(await ids('c2')).toEqual([]);
      expect(await presence.leave('c2', lease('a'))).toBeNull();
      expect(await ids('c')).toEqual(['a']);
    });

    it('does nothing when given nothing', async () => {
      expect(await presence.joinMany([])).toEqual([]);
      expect(await presence.renew([])).toEqual([]);
      expect(await presence.leaveMany([])).toEqual([]);
      expect(await presence.update([], 'a', online)).toEqual([]);
      expect(await presence.reap([])).toEqual([]);
    });

    it('refuses invalid arguments, in every method', async () => {
      const refused = { name: 'PresenceError', code: 'invalid_argument' };
      const status = { status: 'offline' as 'online' };
      await expect(presence.join('c', lease('a'), status)).rejects.toMatchObject(refused);
      const customStatus = 'x'.repeat(1025);
      await expect(presence.join('c', lease('a'), { customStatus })).rejects.toMatchObject(refused);
      await expect(
        presence.update(['c'], 'a', { ...away, avatar: customStatus }),
      ).rejects.toMatchObject(refused);
      for (const limit of [0, 201, 1.5, NaN]) {
        await expect(presence.list('c', { limit })).rejects.toMatchObject(refused);
      }
      await expect(presence.list('c', { cursor: 'a:b' })).rejects.toMatchObject(refused);
      for (const page of [{ limit: 0 }, { limit: 201 }, { cursor: 'a' }, { cursor: 'a:b' }]) {
        await expect(presence.listConnections('c', page)).rejects.toMatchObject(refused);
      }
      const badId = { name: 'KeySchemaError', code: 'invalid_id' };
      await expect(presence.join('c:d', lease('a'))).rejects.toMatchObject(badId);
      await expect(presence.join('c', lease('a:b'))).rejects.toMatchObject(badId);
      await expect(presence.join('c', lease('a', ''))).rejects.toMatchObject(badId);
      const entries = [
        { channelId: 'c', lease: lease('a'), state: online },
        { channelId: 'c', lease: lease('a:b'), state: online },
      ];
      await expect(presence.joinMany(entries)).rejects.toMatchObject(badId);
      await expect(presence.renew(entries)).rejects.toMatchObject(badId);
      await expect(presence.leaveMany(entries)).rejects.toMatchObject(badId);
      await expect(presence.leave('c:d', lease('a'))).rejects.toMatchObject(badId);
      await expect(presence.update(['c'], 'a:b', online)).rejects.toMatchObject(badId);
      await expect(presence.update(['c:d'], 'a', online)).rejects.toMatchObject(badId);
      await expect(presence.get('c', 'a:b')).rejects.toMatchObject(badId);
      await expect(presence.list('c:d')).rejects.toMatchObject(badId);
      await expect(presence.listConnections('c:d')).rejects.toMatchObject(badId);
      const byBadId = presence.listConnections('c', { agentId: 'a:b' });
      await expect(byBadId).rejects.toMatchObject(badId);
      await expect(presence.reap(['c', 'c:d'])).rejects.toMatchObject(badId);
      expect(await ids('c')).toEqual([]);
    });

    it('rejects after close', async () => {
      await presence.close();
      const closed = { name: 'PresenceError', code: 'closed' };
      await expect(presence.join('c', lease('a'))).rejects.toMatchObject(closed);
      await expect(presence.list('c')).rejects.toMatchObject(closed);
      await expect(presence.reap(['c'])).rejects.toMatchObject(closed);
    });
  });
}
