import { describe, expect, it } from '@jest/globals';
import {
  connectRpc,
  startHub,
  startPostgres,
  startRedis,
  waitFor,
  type RpcSocket,
} from '@openclaw/test-support';
import { range, seqsOf } from '../testing/seqs.ts';
import { statusesOf } from '../testing/presence-events.ts';
import { closeAfterAll } from '../testing/close-after-all.ts';

const channelId = 'clocks';
const hourMs = 3_600_000;
/** Returns options for Node that shift the clock of a process and its threads. */
function clockOff(ms: number): string {
  const preload = `const now = Date.now; Date.now = () => now() + ${ms};`;
  return `--import=data:text/javascript,${encodeURIComponent(preload)}`;
}

const redis = closeAfterAll(await startRedis());
const postgres = closeAfterAll(await startPostgres());
const env = { REDIS_URL: redis.url, HUB_DB_URL: postgres.url };
const hubs = await Promise.all(
  [-hourMs, hourMs].map((ms) => startHub({ env: { ...env, NODE_OPTIONS: clockOff(ms) } })),
);
for (const hub of hubs) closeAfterAll(hub);

describe('clocks that are two hours apart', () => {
  // The race: two agents write at the same time through hubs with different clocks.
  it('do not change the order, and make no agent offline', async () => {
    const [ana, ben] = (await Promise.all(
      hubs.map(({ url }, at) => connectRpc(`${url}/v1/ws?agent=${['ana', 'ben'][at]}`)),
    )) as [RpcSocket, RpcSocket];
    await ana.call('channel.create', { channelId, name: channelId });
    await ana.call('member.add', { channelId, agentId: 'ben' });
    for (const socket of [ana, ben]) await socket.call('subscribe', { topics: [{ channelId }] });
    const { timestamp: behindMs } = await ana.call('ping');
    const { timestamp: aheadMs } = await ben.call('ping');
    // Negative control: the clocks really differ.
    expect(Math.abs(aheadMs - behindMs - 2 * hourMs)).toBeLessThan(60_000);

    const sent: { seq: number; timestamp: number }[] = [];
    for (const n of range(1, 50)) {
      const params = { channelId, content: `message ${n}`, clientMessageId: `id-${n}` };
      const results = await Promise.all([
        ana.call('message.send', params),
        ben.call('message.send', params),
      ]);
      const again = await ben.call('message.send', params);
      expect(again).toEqual({ ...results[1], duplicate: true });
      sent.push(...results);
    }
    const last = Math.max(...sent.map(({ seq }) => seq));
    const orders = [];
    for (const socket of [ana, ben]) {
      await socket.event(({ seq }) => seq === last);
      const durable = socket.events.filter(({ seq }) => seq !== null);
      const seqs = seqsOf(durable);
      expect(seqs).toEqual(range(seqs[0] ?? 0, last));
      orders.push(durable.slice(-sent.length).map(({ id }) => id as string));
      const { messages } = await socket.call('message.history', { channelId, limit: 200 });
      expect(seqsOf(messages)).toEqual(range(last - sent.length + 1, last));
    }
    expect(orders[0]).toEqual(orders[1]);

    // Longer than the time after which a silent hub counts as dead.
    const untilMs = performance.now() + 7_000;
    await waitFor(() => performance.now() > untilMs, { timeoutMs: 10_000, everyMs: 100 });
    for (const [socket, other] of [
      [ana, 'ben'],
      [ben, 'ana'],
    ] as const) {
      const { presences } = await socket.call('presence.list', { channelId });
      expect(presences.map(({ agentId }: { agentId: string }) => agentId)).toEqual(['ana', 'ben']);
      expect(statusesOf(socket, channelId, other)).not.toContain('offline');
    }
    await Promise.all([ana.close(), ben.close()]);
  }, 120_000);

  it('of a client cannot be sent to the hub', async () => {
    await using cem = await connectRpc(`${hubs[0]?.url}/v1/ws?agent=ana`);
    for (const time of ['timestamp', 'createdAt', 'seq']) {
      await expect(
        cem.call('message.send', { channelId, content: 'from tomorrow', [time]: 1 }),
      ).rejects.toMatchObject({ rpcCode: -32602 });
    }
  });
});
