import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { noRedis, startTestHub, type TestHub } from '../testing/test-hub.ts';
import { startTwoHubs } from '../testing/two-hubs.ts';

const { hubA, hubB, redis } = await startTwoHubs();
const alone = closeAfterAll(await startTestHub(noRedis));

async function waitingAt(hub: TestHub): Promise<number> {
  const text = await (await fetch(`${hub.url}/metrics`)).text();
  return Number(/^hub_waiting_inbox_reads (\d+)$/m.exec(text)?.[1] ?? NaN);
}
const untilWaiting = (hub: TestHub, count = 1) =>
  waitFor(async () => (await waitingAt(hub)) === count, { what: `${count} waiting reads` });
const read = (hub: TestHub, agentId: string, params: object = { waitMs: 50_000 }) =>
  hub.request(agentId, 'POST', '/v1/call/inbox.read', params);
async function createChannel(hub: TestHub, channelId: string, ...members: readonly string[]) {
  await hub.request('ana', 'POST', '/v1/channels', { channelId, name: channelId });
  for (const agentId of members)
    await hub.request('ana', 'POST', `/v1/channels/${channelId}/members`, { agentId });
}
const say = (hub: TestHub, channelId: string, content: string, more: object = {}) =>
  hub.request('ana', 'POST', `/v1/channels/${channelId}/messages`, { content, ...more });

/** `durationMs` is the time from the end of `cause` to the end of the read. */
async function wokenBy(hub: TestHub, agentId: string, cause: () => Promise<unknown>) {
  const polled = read(hub, agentId);
  await untilWaiting(hub);
  await cause();
  const startMs = performance.now();
  const { body } = await polled;
  return { texts: textsOf(body), durationMs: performance.now() - startMs, body };
}
const textsOf = (body: { items: { message: { content: string } }[] }) =>
  body.items.map(({ message }) => message.content);

describe('inbox.read with waitMs', () => {
  it('ends with the first item on any hub, also of @all and of a reply, which have no notice', async () => {
    await createChannel(hubA, 'any', 'ben');
    const mine = await hubA.request('ben', 'POST', '/v1/channels/any/messages', { content: 'x' });
    const replyTo: unknown = mine.body.messageId;
    for (const [cause, more] of [
      ['a mention', { mentions: ['ben'] }],
      ['a reply', { replyTo }],
      ['@all', {}],
    ] as const) {
      for (const hub of [hubA, hubB]) {
        const woken = await wokenBy(hubB, 'ben', () => say(hub, 'any', cause, more));
        expect(woken.texts).toEqual([cause]);
        await hubA.request('ben', 'POST', '/v1/call/inbox.ack', { cursor: woken.body.cursor });
      }
    }
    // Neither a plain message nor the agent's own message ends the wait.
    const polled = read(hubB, 'ben', { waitMs: 900 });
    await untilWaiting(hubB);
    await say(hubA, 'any', 'plain');
    await hubB.request('ben', 'POST', '/v1/channels/any/messages', { content: '@ben @ana' });
    expect((await polled).body).toMatchObject({ items: [], hasMore: false });
    expect(await waitingAt(hubB)).toBe(0);
  });

  it('is answered at once while there is an item, and after a cursor only with a newer one', async () => {
    await createChannel(alone, 'now', 'ben');
    await say(alone, 'now', 'one', { mentions: ['ben'] });
    const { cursor } = (await read(alone, 'ben')).body;
    const polled = read(alone, 'ben', { waitMs: 50_000, after: cursor });
    await untilWaiting(alone);
    await say(alone, 'now', 'two', { mentions: ['ben'] });
    expect(textsOf((await polled).body)).toEqual(['two']);
  });

  it('has a limit for each agent, and ends with the connection that asked', async () => {
    const abort = new AbortController();
    const polls = Array.from({ length: 4 }, () =>
      fetch(`${alone.url}/v1/call/inbox.read?agent=dan`, {
        ...{ method: 'POST', signal: abort.signal, body: '{"waitMs":50000}' },
        headers: { 'content-type': 'application/json' },
      }).catch(() => null),
    );
    await untilWaiting(alone, 4);
    expect(await read(alone, 'dan')).toMatchObject({
      status: 429,
      body: { error: { code: 'rate_limited', retryAfterMs: 1_000 } },
    });
    expect((await read(alone, 'eve', { waitMs: 20 })).status).toBe(200);
    abort.abort();
    await Promise.all(polls);
    await untilWaiting(alone, 0);
  });

  it('may be an admin’s read of another inbox, which is audited', async () => {
    await createChannel(alone, 'audited', 'fay');
    await say(alone, 'audited', 'for fay', { mentions: ['fay'] });
    expect(await read(alone, 'ben', { agentId: 'fay', waitMs: 50_000 })).toMatchObject({
      status: 403,
    });
    const path = '/v1/call/inbox.read?role=admin';
    const { body } = await alone.request('root', 'POST', path, { agentId: 'fay' });
    expect(textsOf(body)).toEqual(['for fay']);
    await alone.request('root', 'POST', path, {});
    await alone.request('root', 'POST', '/v1/call/inbox.ack?role=admin', { cursor: body.cursor });
    expect(textsOf((await read(alone, 'fay')).body)).toEqual(['for fay']);
    const acts = async () =>
      (await alone.request('root', 'GET', '/v1/audit?action=inbox.read&role=admin')).body.entries;
    await waitFor(async () => ((await acts()) as unknown[]).length > 0);
    expect(await acts()).toMatchObject([{ actor: 'root', target: 'fay' }]);
  });

  it('is answered when its hub drains', async () => {
    const hub = await startTestHub(noRedis);
    const polled = read(hub, 'ben');
    await untilWaiting(hub);
    const closed = hub.close();
    expect(await polled).toMatchObject({ status: 200, body: { items: [] } });
    await closed;
  });

  // This test must be the last, because it stops Redis.
  it('ends within a second with an item of another hub while Redis is away', async () => {
    await createChannel(hubA, 'cut', 'gil');
    await redis.stop();
    await waitFor(() => !hubA.redis.available && !hubB.redis.available);
    for (const more of [{ mentions: ['gil'] }, {}]) {
      const woken = await wokenBy(hubB, 'gil', () => say(hubA, 'cut', '@all hear', more));
      expect(woken.texts).toEqual(['@all hear']);
      expect(woken.durationMs).toBeLessThan(1_000);
      await hubA.request('gil', 'POST', '/v1/call/inbox.ack', { cursor: woken.body.cursor });
    }
  });
});
