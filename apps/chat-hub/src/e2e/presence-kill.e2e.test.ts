import { describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { connectRpc, startHub, startRedis, waitFor, type RpcSocket } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { presenceTimes } from '../presence/roster-watch.ts';
import { range } from '../testing/seqs.ts';
import { startTestHub, temporaryDatabase } from '../testing/test-hub.ts';
import { statusesOf, presenceEvents } from '../testing/presence-events.ts';

// The killed hub runs in its own process, with the default leases of half a minute.
const keys = createKeySchema();

const redis = closeAfterAll(await startRedis());
const database = closeAfterAll(await temporaryDatabase());
const environment = { REDIS_URL: redis.url, HUB_DB_URL: database.url };
const hub = closeAfterAll(await startTestHub(environment));
const hubToKill = closeAfterAll(await startHub({ env: environment }));
await waitFor(() => hub.redis.available, { what: 'Redis for the hub' });
const ana = closeAfterAll(await hub.connect('ana'));

/** Maps each agent to the end of its latest lease, in the time of Redis. */
async function leaseEnds(channelId: string): Promise<Map<string, number>> {
  const lines = (await redis.command(`ZRANGE ${keys.roster(channelId)} 0 -1 WITHSCORES`))
    .split('\r\n')
    .filter((line) => /^[^*$+-]/.test(line));
  const ends = new Map<string, number>();
  for (let at = 0; at + 1 < lines.length; at += 2) {
    ends.set((lines[at] ?? '').split(':')[0] ?? '', Number(lines[at + 1]));
  }
  return ends;
}

describe('a hub that is killed', () => {
  // The races: some agents close their sockets just before the kill, one also has a socket on another hub, and one is
  // typing and cannot send a stop. Invariants: each agent goes offline once, within a second after its lease; no
  // indicator stays; no key is left in Redis.
  it('leaves no ghost and no typing indicator, and no agent that is connected elsewhere goes offline', async () => {
    const channelId = 'killed';
    await ana.call('channel.create', { channelId, name: channelId });
    await ana.call('subscribe', { topics: [{ channelId }] });
    const here = (agentId: string) => hub.connect(agentId);
    const there = (agentId: string) => connectRpc(`${hubToKill.url}/v1/ws?agent=${agentId}`);
    const enter = async (agentId: string, connect: typeof here): Promise<RpcSocket> => {
      await ana.call('member.add', { channelId, agentId }).catch(() => undefined);
      const socket = await connect(agentId);
      await socket.call('subscribe', { topics: [{ channelId }] });
      return socket;
    };
    const ghosts = range(1, 20).map((n) => `ghost-${n}`);
    const leaving = await Promise.all(ghosts.slice(0, 5).map((agentId) => enter(agentId, there)));
    for (const agentId of [...ghosts.slice(5), 'both', 'typist']) await enter(agentId, there);
    await using alive = await enter('both', here);
    const typist = await connectRpc(`${hubToKill.url}/v1/ws?agent=typist`);
    await typist.call('typing.start', { channelId });
    const isTyping =
      (typing: boolean) => (envelope: { channelId: string; event: { type: string } }) =>
        envelope.event.type === 'channel.typing' &&
        (envelope.event as { typing?: boolean }).typing === typing;
    const { timestamp: startedMs } = await ana.event(isTyping(true));
    const gone = [...ghosts, 'typist'];
    await waitFor(() => gone.every((agentId) => statusesOf(ana, channelId, agentId).length > 0), {
      what: 'everyone online',
    });

    for (const socket of leaving) socket.ws.close();
    await hubToKill.kill();
    const killedMs = Date.now();
    const ends = await leaseEnds(channelId);

    const { timestamp: stoppedMs } = await ana.event(isTyping(false), 12_000);
    expect(Math.abs(stoppedMs - startedMs - 10_000)).toBeLessThanOrEqual(1_000);
    await waitFor(
      async () => {
        await ana.call('presence.list', { channelId, limit: 200 });
        return gone.every((agentId) => statusesOf(ana, channelId, agentId).includes('offline'));
      },
      { timeoutMs: presenceTimes.leaseMs + 5_000, everyMs: 250, what: 'everyone offline' },
    );
    const offline = presenceEvents(ana, channelId).filter(({ status }) => status === 'offline');
    for (const { agentId, atMs } of offline) {
      const endMs = ends.get(agentId);
      if (endMs !== undefined) expect(Math.abs(atMs - endMs)).toBeLessThanOrEqual(1_000);
      expect(atMs - killedMs).toBeLessThanOrEqual(presenceTimes.leaseMs + 1_000);
    }
    // Negative control: most agents still had leases after the kill, so only the kill made them go offline.
    expect([...ends.keys()].filter((agentId) => agentId !== 'ana').length).toBeGreaterThan(15);

    // The later status is reported on the same path as an offline event. So its arrival proves that no second offline
    // event is pending.
    await alive.call('presence.set', { status: 'dnd' });
    await waitFor(() => statusesOf(ana, channelId, 'both').at(-1) === 'dnd', {
      what: 'the change',
    });
    for (const agentId of gone) {
      expect(statusesOf(ana, channelId, agentId)).toEqual(['online', 'offline']);
    }
    expect(statusesOf(ana, channelId, 'both')).toEqual(['online', 'dnd']);
    const { presences } = await ana.call('presence.list', { channelId, limit: 200 });
    expect(presences.map(({ agentId }: { agentId: string }) => agentId)).toEqual(['ana', 'both']);
    expect([...(await leaseEnds(channelId)).keys()].sort()).toEqual(['ana', 'both']);
    const hashes = gone.map((agentId) => keys.presence(channelId, agentId));
    expect(await redis.command(`EXISTS ${hashes.join(' ')}`)).toContain(':0');
  }, 90_000);

  // The race: Redis loses the leases of a killed hub before they expire, so no reaper sees them.
  it.each([2_000, 20_000])(
    'has its agents reported offline in time though Redis is wiped %i ms later',
    async (afterMs) => {
      const channelId = `wiped-${afterMs}`;
      const other = await startHub({ env: { REDIS_URL: redis.url, HUB_DB_URL: database.url } });
      await ana.call('channel.create', { channelId, name: channelId });
      await ana.call('subscribe', { topics: [{ channelId }] });
      const ghosts = range(1, 5).map((n) => `wiped-${n}`);
      for (const agentId of ghosts) {
        await ana.call('member.add', { channelId, agentId });
        const socket = await connectRpc(`${other.url}/v1/ws?agent=${agentId}`);
        await socket.call('subscribe', { topics: [{ channelId }] });
      }
      const isTold = (status: string) => () =>
        ghosts.every((agentId) => statusesOf(ana, channelId, agentId).includes(status));
      await waitFor(isTold('online'), { what: 'everyone online' });
      await other.kill();
      const killedMs = Date.now();
      await waitFor(() => Date.now() - killedMs >= afterMs, { timeoutMs: 60_000, everyMs: 50 });
      await redis.command('FLUSHALL');
      await waitFor(isTold('offline'), {
        timeoutMs: presenceTimes.leaseMs + 15_000,
        everyMs: 100,
        what: 'everyone offline',
      });
      for (const { atMs, status, agentId } of presenceEvents(ana, channelId)) {
        if (status !== 'offline') continue;
        expect(ghosts).toContain(agentId);
        expect(atMs - killedMs).toBeLessThanOrEqual(presenceTimes.leaseMs + 1_000);
      }
      for (const agentId of ghosts) {
        expect(statusesOf(ana, channelId, agentId)).toEqual(['online', 'offline']);
      }
    },
    90_000,
  );
});
