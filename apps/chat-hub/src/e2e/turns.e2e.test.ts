import { expect, it } from '@jest/globals';
import { turnStateEvent } from '@openclaw/protocol';
import { waitFor, type RpcSocket } from '@openclaw/test-support';
import { startTwoHubs } from '../testing/two-hubs.ts';

const leaseMs = 1_500;
const { redis, hubA, hubB } = await startTwoHubs({}, { agentTimes: { turnLeaseMs: leaseMs } });

const nextTurn = async (socket: RpcSocket, agentId: string, state: string) => {
  const { event } = await socket.event(
    ({ event }) =>
      event.name === turnStateEvent &&
      event.payload.agentId === agentId &&
      event.payload.state === state,
  );
  return event.payload;
};

async function channel(channelId: string) {
  const watcher = await hubB.connect('watcher');
  await watcher.call('channel.create', { channelId, name: channelId });
  await watcher.call('subscribe', { topics: [{ channelId }] });
  const join = async (agentId: string, hub = hubA) => {
    const agent = await hub.connect(agentId);
    await agent.call('channel.join', { channelId });
    return agent;
  };
  return { watcher, join };
}

it('shows on the other hub what an agent is doing, until idle or the end of its lease', async () => {
  const channelId = 'work';
  const { watcher, join } = await channel(channelId);
  const bot = await join('bot');
  const turn = { channelId, state: 'tool', label: 'Runs the tests', queueDepth: 3 };
  await bot.call('turn.set', turn);
  expect(await nextTurn(watcher, 'bot', 'tool')).toEqual({
    agentId: 'bot',
    threadId: null,
    state: 'tool',
    label: 'Runs the tests',
    queueDepth: 3,
    untilMs: expect.any(Number),
  });
  const { turns, degraded } = await watcher.call('turn.list', { channelId });
  expect(degraded).toBe(false);
  expect(turns).toMatchObject([{ agentId: 'bot', state: 'tool', queueDepth: 3 }]);
  await bot.call('turn.set', { channelId, state: 'idle' });
  await nextTurn(watcher, 'bot', 'idle');
  expect((await watcher.call('turn.list', { channelId })).turns).toEqual([]);

  const hung = await join('hung');
  const startMs = performance.now();
  await hung.call('turn.set', { channelId, state: 'thinking' });
  await nextTurn(watcher, 'hung', 'thinking');
  await nextTurn(watcher, 'hung', 'idle');
  expect(performance.now() - startMs).toBeGreaterThan(leaseMs - 100);
  await Promise.all([bot, hung, watcher].map((socket) => socket.close()));
});

it('ends with the last connection of the agent, wherever that is', async () => {
  const channelId = 'gone';
  const { watcher, join } = await channel(channelId);
  const first = await join('bot');
  const second = await join('bot', hubB).catch(async () => hubB.connect('bot'));
  for (const socket of [first, second]) await socket.call('subscribe', { topics: [{ channelId }] });
  await first.call('turn.set', { channelId, state: 'waiting' });
  await nextTurn(watcher, 'bot', 'waiting');
  await first.close();
  await second.call('message.send', { channelId, content: 'still here' });
  await watcher.event(({ event }) => event.type === 'channel.message');
  expect((await watcher.call('turn.list', { channelId })).turns).toMatchObject([
    { agentId: 'bot', state: 'waiting' },
  ]);
  const startMs = performance.now();
  await second.close();
  await nextTurn(watcher, 'bot', 'idle');
  expect(performance.now() - startMs).toBeLessThan(leaseMs - 500);
  const loner = await join('loner');
  await loner.call('turn.set', { channelId, state: 'queued' });
  await nextTurn(watcher, 'loner', 'queued');
  await loner.close();
  await nextTurn(watcher, 'loner', 'idle');
  await watcher.close();
});

// The fault: an agent left one hub, or stopped following the channel's events, and its turn ended although it was still
// connected to another hub. Invariant: a turn lasts while its agent has a connection.
it('lasts while the agent has a connection, even if that follows no channel', async () => {
  const channelId = 'elsewhere';
  const { watcher, join } = await channel(channelId);
  const bot = await join('bot');
  const other = await hubB.connect('bot');
  const topics = [{ channelId }];
  const isPresent = async () => {
    const { presences } = await watcher.call('presence.list', { channelId });
    return presences.some(({ agentId }: { agentId: string }) => agentId === 'bot');
  };
  const turnsAfter = async (leave: () => Promise<unknown>) => {
    await bot.call('subscribe', { topics });
    await bot.call('turn.set', { channelId, state: 'waiting' });
    await waitFor(isPresent);
    await leave();
    await waitFor(async () => !(await isPresent()));
    await other.call('message.send', { channelId, content: 'still here' });
    return (await watcher.call('turn.list', { channelId })).turns;
  };
  const lasting = [{ agentId: 'bot', state: 'waiting' }];
  const unsubscribe = () => bot.call('unsubscribe', { channelIds: [channelId] });
  expect(await turnsAfter(unsubscribe)).toMatchObject(lasting);
  expect(await turnsAfter(() => bot.close())).toMatchObject(lasting);
  await other.close();
  await nextTurn(watcher, 'bot', 'idle');
  expect((await watcher.call('turn.list', { channelId })).turns).toEqual([]);

  // The fault: a removed member's turn was shown until its lease expired.
  const guest = await join('guest');
  await guest.call('turn.set', { channelId, state: 'queued', threadId: 't1' });
  await nextTurn(watcher, 'guest', 'queued');
  const startMs = performance.now();
  await watcher.call('member.remove', { channelId, agentId: 'guest' });
  await nextTurn(watcher, 'guest', 'idle');
  expect(performance.now() - startMs).toBeLessThan(leaseMs - 500);
  await Promise.all([guest, watcher].map((socket) => socket.close()));
});

it('is for members, is stopped by a freeze, and its event cannot be forged', async () => {
  const channelId = 'rights';
  const { watcher, join } = await channel(channelId);
  const stranger = await hubA.connect('stranger');
  const codeOf = (socket: RpcSocket, method: string, params: object) =>
    socket.call(method, params).then(
      () => 'ok',
      ({ code, rpcCode }) => code ?? rpcCode,
    );
  const turn = { channelId, state: 'thinking' };
  expect(await codeOf(stranger, 'turn.set', turn)).toBe('forbidden');
  expect(await codeOf(stranger, 'turn.list', { channelId })).toBe('forbidden');
  const bot = await join('bot');
  expect(await codeOf(bot, 'turn.set', { ...turn, label: 'x'.repeat(129) })).toBe(-32602);
  const forged = { channelId, name: turnStateEvent, payload: {} };
  expect(await codeOf(bot, 'collaboration.emit', forged)).toBe('forbidden');
  const admin = await hubB.connect('root', { query: '&kind=person&role=admin' });
  await admin.call('freeze', { scope: 'channel', id: channelId, reason: 'loop' });
  expect(await codeOf(bot, 'turn.set', turn)).toBe('frozen');
  await admin.call('unfreeze', { scope: 'channel', id: channelId });
  for (let n = 0; n <= 50; n += 1) await bot.call('turn.set', { ...turn, threadId: `t${n}` });
  expect((await watcher.call('turn.list', { channelId })).turns).toHaveLength(50);
  await watcher.call('channel.archive', { channelId });
  expect(await codeOf(bot, 'turn.set', turn)).toBe('archived');
  expect(await codeOf(bot, 'turn.set', { ...turn, state: 'idle' })).toBe('ok');
  await Promise.all([stranger, bot, admin, watcher].map((socket) => socket.close()));
});

// The fault: while Redis was away, a hub did not find the agent's connection to another hub, and ended its turn.
// Invariant: a look-up that fails ends no turn; the lease does.
it('lasts until the end of its lease while no hub can find the other connections', async () => {
  const channelId = 'degraded';
  const { watcher, join } = await channel(channelId);
  const [bot, ana] = [await join('bot'), await join('ana')];
  const other = await hubB.connect('bot');
  await ana.call('subscribe', { topics: [{ channelId }] });
  await redis.kill();
  await waitFor(() => !hubA.redis.available && !hubB.redis.available);
  const startMs = performance.now();
  await bot.call('turn.set', { channelId, state: 'waiting' });
  await nextTurn(ana, 'bot', 'waiting');
  await bot.close();
  await nextTurn(ana, 'bot', 'idle');
  expect(performance.now() - startMs).toBeGreaterThan(leaseMs - 100);
  await Promise.all([ana, other, watcher].map((socket) => socket.close()));
});
