import { expect, it } from '@jest/globals';
import { connectRpc, startHubPair, startRedis, usesRedis, waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';

const redis = closeAfterAll(await startRedis());
const pair = closeAfterAll(await startHubPair({ REDIS_URL: redis.url }));
const [hubA, hubB] = pair.hubs;
await waitFor(async () => (await usesRedis(hubA)) && (await usesRedis(hubB)), { what: 'Redis' });

const reason = 'it deploys in a loop';
const connect = (hub: typeof hubA, agentId: string, query = '') =>
  connectRpc(`${hub.url}/v1/ws?agent=${agentId}${query}`);
const asPerson = '&kind=person';
const asAdmin = '&kind=person&role=admin';

type Socket = Awaited<ReturnType<typeof connect>>;
const refusalOf = (socket: Socket, method: string, params: object) =>
  socket.call(method, params).then(
    () => null,
    ({ data }) => data as { code: string; scope?: string },
  );

async function channelOf(channelId: string) {
  const owner = await connect(hubA, `owner-of-${channelId}`, asPerson);
  await owner.call('channel.create', { channelId, name: channelId });
  const agents = await Promise.all([hubA, hubB].map((hub, n) => connect(hub, `${channelId}-${n}`)));
  for (const agent of agents) await agent.call('channel.join', { channelId });
  await owner.call('subscribe', { topics: [{ channelId }] });
  const close = () => Promise.all([owner, ...agents].map((socket) => socket.close()));
  return { owner, agents, close, send: { channelId, content: 'again' } };
}

async function untilRefused(agent: Socket, send: object) {
  const startMs = performance.now();
  for (;;) {
    const data = await refusalOf(agent, 'message.send', send);
    if (data) return { data, ms: performance.now() - startMs };
  }
}

it('a frozen agent writes on no hub within a second, over Redis and without it', async () => {
  const { agents, close, send } = await channelOf('agents');
  await using admin = await connect(hubB, 'root', asAdmin);
  await using person = await connect(hubA, 'pia', asPerson);
  const freeze = { scope: 'agent', id: 'agents-0' };
  for (const isRedisThere of [true, false]) {
    if (!isRedisThere) await redis.kill();
    expect(await refusalOf(agents[0]!, 'message.send', send)).toBeNull();
    await admin.call('freeze', { ...freeze, reason: `${reason} ${isRedisThere}` });
    const refused = await untilRefused(agents[0]!, send);
    expect(refused.data).toEqual({ code: 'frozen', scope: 'agent' });
    expect(refused.ms).toBeLessThan(1_000);
    expect(await refusalOf(agents[0]!, 'typing.start', { channelId: 'agents' })).toMatchObject({
      ...{ code: 'frozen', scope: 'agent' },
    });
    expect(await refusalOf(agents[0]!, 'message.history', { channelId: 'agents' })).toBeNull();
    expect(await refusalOf(agents[1]!, 'message.send', send)).toBeNull();
    if (isRedisThere) {
      const isFreeze = ({ event }: { event: { name?: string } }) => event.name === 'freeze.set';
      expect((await admin.event(isFreeze)).event.payload).toEqual({
        ...freeze,
        reason: `${reason} true`,
      });
      expect((await person.event(isFreeze)).event.payload).toEqual({ ...freeze, reason: null });
    }
    await admin.call('unfreeze', freeze);
    await waitFor(async () => (await refusalOf(agents[0]!, 'message.send', send)) === null, {
      what: 'the end of the freeze',
      timeoutMs: 1_000,
    });
  }
  await redis.restart();
  await waitFor(async () => (await usesRedis(hubA)) && (await usesRedis(hubB)), { what: 'Redis' });
  await close();
});

// The reported failure: a frozen agent with an admin token minted a token of kind person and lifted the freeze with
// it.
it('a frozen agent with an admin token manages no tokens and kicks nobody', async () => {
  await using admin = await connect(hubA, 'root', asAdmin);
  await using agent = await connect(hubB, 'op', '&role=admin');
  const kick = { agentId: 'root', reason };
  const tokens = async (method: string, path = '') => {
    const url = `${hubB.httpUrl}/v1/tokens${path}?agent=op&role=admin`;
    const body = method === 'POST' ? JSON.stringify({ sub: 'op', kind: 'person' }) : null;
    const headers: Record<string, string> =
      body === null ? {} : { 'content-type': 'application/json' };
    const response = await fetch(url, { method, headers, body });
    const { error } = (await response.json()) as { error?: { code: string } };
    return error?.code ?? response.status;
  };
  const acts = async () => [
    await tokens('GET'),
    await tokens('POST'),
    await tokens('DELETE', '/jti-of-root'),
    (await refusalOf(agent, 'agent.kick', { ...kick, agentId: 'nobody' }))?.code,
    (await refusalOf(agent, 'agent.limit', { agentId: 'nobody', message: '1/60' }))?.code,
  ];
  // Negative control: without a freeze, nothing is refused as frozen. These hubs have no secret to sign with, so a new
  // token is `unsupported`.
  expect(await acts()).toEqual([200, 'unsupported', 200, 'not_found', 'not_found']);
  await admin.call('freeze', { scope: 'agent', id: 'op', reason });
  await waitFor(
    async () => (await refusalOf(agent, 'channel.create', { name: 'New' }))?.code === 'frozen',
    { what: 'the freeze' },
  );
  expect(await acts()).toEqual([200, 'frozen', 'frozen', 'frozen', 'frozen']);
  await admin.call('unfreeze', { scope: 'agent', id: 'op' });
});

it('a frozen channel takes nothing from an agent of either hub, also when the hub that froze it is killed', async () => {
  const { owner, agents, close, send } = await channelOf('rooms');
  const { channelId } = send;
  const writing = agents.map((agent) => untilRefused(agent, send));
  const isMessage = ({ event }: { event: { type: string } }) => event.type === 'channel.message';
  await owner.event(isMessage);
  await using second = await connect(hubB, 'owner-of-rooms', asPerson);
  await second.call('freeze', { scope: 'channel', id: channelId, reason });
  for (const { data } of await Promise.all(writing)) {
    expect(data).toEqual({ code: 'frozen', scope: 'channel' });
  }
  await hubB.kill();
  expect(await refusalOf(agents[0]!, 'message.send', send)).toEqual({
    code: 'frozen',
    scope: 'channel',
  });
  expect(await refusalOf(agents[0]!, 'typing.start', { channelId })).toMatchObject({
    code: 'frozen',
  });
  await owner.call('message.send', { channelId, content: 'a person goes on' });
  const { events } = await owner.call('log.read', { channelId, after: 0 });
  const named = events.map(
    ({ event }: { event: { type: string; name?: string } }) => event.name ?? event.type,
  );
  expect(named.slice(named.indexOf('freeze.set'))).toEqual(['freeze.set', 'channel.message']);

  await hubB.restart();
  await using admin = await connect(hubA, 'root', asAdmin);
  await admin.call('freeze', { scope: 'hub', reason });
  await hubB.kill();
  await hubB.restart();
  await using late = await connect(hubB, 'late');
  expect(await refusalOf(late, 'channel.create', { name: 'New' })).toEqual({
    code: 'frozen',
    scope: 'hub',
  });
  await admin.call('unfreeze', { scope: 'hub' });
  await owner.call('unfreeze', { scope: 'channel', id: channelId });
  expect(await refusalOf(agents[0]!, 'message.send', send)).toBeNull();

  const audit = async (target: string) => {
    const url = `${hubA.httpUrl}/v1/audit?agent=root&role=admin&target=${target}`;
    return ((await (await fetch(url)).json()) as { entries: { action: string; actor: string }[] })
      .entries;
  };
  const acts = await audit(channelId);
  expect(acts.map(({ action, actor }) => [action, actor])).toEqual([
    ['unfreeze', 'owner-of-rooms'],
    ['freeze', 'owner-of-rooms'],
  ]);
  await close();
});
