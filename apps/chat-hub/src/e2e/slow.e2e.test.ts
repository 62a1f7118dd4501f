import { describe, expect, it } from '@jest/globals';
import { connectRpc, startHub, waitFor, type RpcSocket } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { range, seqsOf } from '../testing/seqs.ts';
import { statusesOf } from '../testing/presence-events.ts';

const connect = (agentId: string) => connectRpc(`${hub.url}/v1/ws?agent=${agentId}`);
// The hub runs in its own process, so that its memory can be measured.
const hub = closeAfterAll(await startHub({ env: { HUB_LIMIT_MESSAGE: '1000000/60' } }));
const ana = closeAfterAll(await connect('ana'));

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${hub.httpUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
}

async function send(channelId: string, count: number, contentBytes: number): Promise<number> {
  const params = { channelId, content: 'x'.repeat(contentBytes) };
  const sent = await Promise.all(range(1, count).map(() => ana.call('message.send', params)));
  return Math.max(...sent.map(({ seq }) => seq as number));
}

async function followers(channelId: string, ...agentIds: string[]): Promise<RpcSocket[]> {
  await ana.call('channel.create', { channelId, name: channelId });
  return Promise.all(
    agentIds.map(async (agentId) => {
      await ana.call('member.add', { channelId, agentId });
      const socket = await connect(agentId);
      await socket.call('subscribe', { topics: [{ channelId }] });
      return socket;
    }),
  );
}

async function untilLagging(channelId: string): Promise<void> {
  const before = await metric('hub_lagging_sockets_total');
  await waitFor(
    async () => {
      await send(channelId, 40, 30_000);
      return (await metric('hub_lagging_sockets_total')) > before;
    },
    { what: 'a lagging socket' },
  );
}

describe('a socket that reads too slowly', () => {
  // The race: an agent starts typing before the socket lags and stops while it lags; others change their presence.
  // Invariants: the durable events come in order, then only the latest state of each agent.
  it('gets the latest typing and presence after everything that it missed', async () => {
    const channelId = 'latest';
    const [slow, cem, dan] = (await followers(channelId, 'slow', 'cem', 'dan')) as [
      RpcSocket,
      RpcSocket,
      RpcSocket,
    ];
    await cem.call('typing.start', { channelId });
    await slow.event(({ event }) => event.type === 'channel.typing');
    await waitFor(() => statusesOf(slow, channelId, 'dan').length > 0, { what: 'Dan online' });
    slow.ws.pause();
    await untilLagging(channelId);
    const had = slow.events.length;
    await cem.call('typing.stop', { channelId });
    for (const status of ['away', 'online', 'dnd']) await cem.call('presence.set', { status });
    await dan.close();
    await ana.call('subscribe', { topics: [{ channelId }] });
    const last = await send(channelId, 60, 30_000);
    await ana.event(({ seq }) => seq === last);
    await waitFor(
      async () =>
        (await ana.call('presence.list', { channelId })).presences.every(
          ({ agentId }: { agentId: string }) => agentId !== 'dan',
        ),
      { what: 'Dan’s end' },
    );
    slow.ws.resume();
    await slow.event(({ seq }) => seq === last, 20_000);
    await waitFor(() => statusesOf(slow, channelId, 'dan').at(-1) === 'offline', {
      what: 'Dan’s offline status',
    });
    const durable = seqsOf(slow.events.filter((envelope) => envelope.channelId === channelId));
    expect(durable).toEqual(range(durable[0] ?? 0, last));
    const signals = slow.events.slice(had).filter(({ seq }) => seq === null);
    const of = (type: string) => signals.filter(({ event }) => event.type === type);
    expect(of('channel.typing').map(({ event }) => event.typing)).toEqual([false]);
    expect(statusesOf(slow, channelId, 'cem')).toEqual(['online', 'dnd']);
    expect(statusesOf(slow, channelId, 'dan')).toEqual(['online', 'offline']);
    const lastAt = slow.events.findIndex(({ seq }) => seq === last);
    expect(slow.events.indexOf(of('channel.typing')[0])).toBeGreaterThan(lastAt);
    await Promise.all([slow.close(), cem.close()]);
  });

  // The races: one socket stops reading in the middle of the traffic, and another one right after it asked for a
  // resume. Invariants: the hub uses little memory for these sockets, serves others as fast as before, and closes both
  // sockets.
  it('uses bounded memory, does not affect others, and is closed when it never reads again', async () => {
    const channelId = 'stuck';
    const [stuck, fast] = (await followers(channelId, 'stuck', 'fast')) as [RpcSocket, RpcSocket];
    const first = seqsOf(fast.events)[0] ?? 4;
    stuck.ws.pause();
    await untilLagging(channelId);
    const resuming = await connect('fast');
    const asked = resuming.call('subscribe', { topics: [{ channelId, since: 1 }] });
    asked.catch(() => undefined);
    resuming.ws.pause();
    const sockets = await metric('hub_sockets');
    const memory = await metric('nodejs_external_memory_bytes');
    let sent = 0;
    let slowestMs = 0;
    let last = 0;
    let highest = 0;
    await waitFor(
      async () => {
        const startMs = performance.now();
        last = await send(channelId, 40, 30_000);
        sent += 40;
        await fast.event(({ seq }) => seq === last);
        slowestMs = Math.max(slowestMs, performance.now() - startMs);
        highest = Math.max(highest, await metric('nodejs_external_memory_bytes'));
        return (await metric('hub_sockets')) <= sockets - 2;
      },
      { timeoutMs: 45_000, everyMs: 150, what: 'the end of the stuck sockets' },
    );
    // Without a bound, each of the two sockets would hold all sent data in Buffers.
    expect(highest - memory).toBeLessThan(50e6);
    expect(2 * sent * 30_000).toBeGreaterThan(150e6);
    expect(slowestMs).toBeLessThan(3_000);
    const seqs = seqsOf(fast.events);
    expect(seqs).toEqual(range(seqs[0] ?? first, last));
    stuck.ws.terminate();
    resuming.ws.terminate();
    await fast.close();
  }, 90_000);
});
