import { describe, expect, it } from '@jest/globals';
import { connectRpc, startHubPair, startRedis } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';

const redis = closeAfterAll(await startRedis());
const most = 12;
const pair = closeAfterAll(
  await startHubPair({
    REDIS_URL: redis.url,
    HUB_AGENT_LOOP: `${most}/600`,
    HUB_AGENT_TURNS: `${3 * most}/600`,
  }),
);
const unlimited = closeAfterAll(await startHubPair({ REDIS_URL: redis.url }));

type Hub = (typeof pair.hubs)[number];
type Socket = Awaited<ReturnType<typeof connectRpc>>;
const connect = (hub: Hub, agentId: string, query = '') =>
  connectRpc(`${hub.url}/v1/ws?agent=${agentId}${query}`);
const refusalOf = (socket: Socket, method: string, params: object) =>
  socket.call(method, params).then(
    () => null,
    ({ data }) => data as { code: string; pausedUntilMs: number | null },
  );

async function ring([hubA, hubB]: readonly [Hub, Hub], channelId: string) {
  const pia = await connect(hubA, 'pia', '&kind=person');
  await pia.call('channel.create', { channelId, name: channelId });
  await pia.call('subscribe', { topics: [{ channelId }] });
  const agents = await Promise.all(
    [hubA, hubB, hubA, hubB].map((hub, n) => connect(hub, `${channelId}-${n}`)),
  );
  for (const agent of agents) await agent.call('channel.join', { channelId });
  const content = 'I agree';
  return {
    pia,
    agents,
    answer: (each: number) =>
      Promise.all(
        agents.map(async (agent) => {
          for (let sent = 0; sent < each; sent += 1) {
            const data = await refusalOf(agent, 'message.send', { channelId, content });
            if (data) return data;
          }
          return null;
        }),
      ),
    written: async () => {
      const { events } = await pia.call('log.read', { channelId, after: 0 });
      const kinds = events.map(
        ({ senderKind, event }: { senderKind: string; event: { type: string; name?: string } }) =>
          `${senderKind} ${event.name ?? event.type}`,
      );
      const count = (kind: string) => kinds.filter((one: string) => one === kind).length;
      return {
        messages: count('agent channel.message'),
        exhausted: count('hub budget.exhausted'),
      };
    },
    close: () => Promise.all([pia, ...agents].map((socket) => socket.close())),
  };
}

// The reported failure: agents answer one another until their provider stops them.
describe('four agents in a ring over two hubs', () => {
  it('go on for as long as they like without a budget', async () => {
    const { answer, written, close } = await ring(unlimited.hubs, 'free');
    expect(await answer(25)).toEqual([null, null, null, null]);
    expect(await written()).toEqual({ messages: 100, exhausted: 0 });
    await close();
  });

  it('stop at their budget, announced once, until a person writes, also when a hub is killed', async () => {
    const channelId = 'budgeted';
    const { pia, agents, answer, written, close } = await ring(pair.hubs, channelId);
    const paused = { code: 'paused', pausedUntilMs: null };
    await pia.call('budget.set', { channelId, agentTurns: 10 });
    expect(await answer(25)).toEqual([paused, paused, paused, paused]);
    expect(await written()).toEqual({ messages: 10, exhausted: 1 });
    const budget = { agentTurns: 10, perMinute: null, used: 10, pausedUntilMs: null };
    expect(await pia.call('budget.get', { channelId })).toEqual(budget);
    await pair.hubs[1].kill();
    await agents[1]!.closed;
    await pair.hubs[1].restart();
    await using returned = await connect(pair.hubs[1], `${channelId}-1`);
    const send = { channelId, content: 'and me' };
    expect(await refusalOf(returned, 'message.send', send)).toEqual(paused);
    await pia.call('message.send', { channelId, content: 'go on' });
    expect(await refusalOf(returned, 'message.send', send)).toBeNull();
    expect(await written()).toEqual({ messages: 11, exhausted: 1 });
    await pia.call('budget.set', { channelId, agentTurns: 1 });
    const url = `${pair.hubs[0].httpUrl}/v1/call/message.send?agent=${channelId}-0`;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(send),
    });
    expect([response.status, await response.json()]).toMatchObject([409, { error: paused }]);
    await close();
  });
});

describe('two bots that thank each other', () => {
  async function thank(
    hubs: readonly [Hub, Hub],
    send: (from: number) => [string, object],
    turns: number,
  ) {
    const bots = [await connect(hubs[0], 'bot-0'), await connect(hubs[1], 'bot-1')];
    let sent = 0;
    let refused: Awaited<ReturnType<typeof refusalOf>> = null;
    for (; sent < turns && refused === null; sent += 1) {
      const [method, params] = send(sent % 2);
      refused = await refusalOf(bots[sent % 2]!, method, params);
    }
    await Promise.all(bots.map((bot) => bot.close()));
    return {
      sent: refused ? sent - 1 : sent,
      code: refused?.code ?? null,
      until: refused?.pausedUntilMs,
    };
  }
  const directly = (from: number): [string, object] => [
    'direct.send',
    { agentId: `bot-${1 - from}`, content: 'thank you' },
  ];

  it('go on without HUB_AGENT_LOOP and HUB_AGENT_TURNS', async () => {
    expect(await thank(unlimited.hubs, directly, 100)).toMatchObject({ sent: 100, code: null });
  });

  it('pause when one has addressed the other HUB_AGENT_LOOP times, and a person lets them go on', async () => {
    const channelId = 'bots';
    await using pia = await connect(pair.hubs[0], 'pia', '&kind=person');
    await pia.call('channel.create', { channelId, name: 'Bots' });
    for (const agentId of ['bot-0', 'bot-1']) await pia.call('member.add', { channelId, agentId });
    const mention = (from: number): [string, object] => [
      'message.send',
      { channelId, content: 'thank you', mentions: [`bot-${1 - from}`] },
    ];
    const startMs = Date.now();
    const loop = await thank(pair.hubs, mention, 100);
    expect(loop).toMatchObject({ sent: 2 * most, code: 'paused' });
    expect(loop.until).toBeGreaterThan(startMs);
    const plain = (): [string, object] => ['message.send', { channelId, content: 'a report' }];
    expect(await thank(pair.hubs, plain, 60)).toMatchObject({ sent: 60, code: null });
    expect(await thank(pair.hubs, mention, 2)).toMatchObject({ sent: 0, code: 'paused' });
    await pia.call('message.send', { channelId, content: 'go on' });
    expect(await thank(pair.hubs, mention, 2 * most)).toMatchObject({ sent: 2 * most, code: null });
  });

  it('pause in a thread after HUB_AGENT_TURNS', async () => {
    const channelId = 'threads';
    await using pia = await connect(pair.hubs[0], 'pia', '&kind=person');
    await pia.call('channel.create', { channelId, name: 'Threads' });
    for (const agentId of ['bot-0', 'bot-1']) await pia.call('member.add', { channelId, agentId });
    const { messageId: threadId } = await pia.call('message.send', { channelId, content: 'root' });
    const reply = (): [string, object] => ['message.send', { channelId, threadId, content: 'ok' }];
    expect(await thank(pair.hubs, reply, 100)).toMatchObject({ sent: 3 * most, code: 'paused' });
    const budget = await pia.call('budget.get', { channelId, threadId });
    expect(budget).toMatchObject({ agentTurns: null, used: 3 * most });
    expect(budget.pausedUntilMs).toBeGreaterThan(Date.now());
  });
});
