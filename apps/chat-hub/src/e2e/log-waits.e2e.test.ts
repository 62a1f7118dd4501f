import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { mintFor } from '../testing/mint.ts';
import { noRedis, startTestHub, temporaryDatabase, type TestHub } from '../testing/test-hub.ts';
import { startTwoHubs } from '../testing/two-hubs.ts';

const { hubA, hubB } = await startTwoHubs();
const alone = closeAfterAll(await startTestHub(noRedis));

async function createChannel(hub: TestHub, channelId: string) {
  await hub.request('ana', 'POST', '/v1/channels', { channelId, name: channelId, kind: 'private' });
  await hub.request('ana', 'POST', `/v1/channels/${channelId}/members`, { agentId: 'ben' });
}
const say = (hub: TestHub, channelId: string, content: string) =>
  hub.request('ana', 'POST', `/v1/channels/${channelId}/messages`, { content });
const pathOf = (channelId: string, after: number, waitMs = 50_000) =>
  `/v1/channels/${channelId}/log?after=${after}&waitMs=${waitMs}`;
const poll = (hub: TestHub, channelId: string, after: number, waitMs?: number) =>
  hub.request('ben', 'GET', pathOf(channelId, after, waitMs));

async function waitingAt(hub: TestHub): Promise<number> {
  const text = await (await fetch(`${hub.url}/metrics`)).text();
  return Number(/^hub_waiting_log_reads (\d+)$/m.exec(text)?.[1] ?? NaN);
}
const untilWaiting = (hub: TestHub, count = 1) =>
  waitFor(async () => (await waitingAt(hub)) === count, { what: `${count} waiting reads` });

describe('log.read with waitMs', () => {
  it('is answered with the next event, from whichever hub', async () => {
    await createChannel(hubA, 'next');
    for (const [hub, after] of [
      [hubA, 2],
      [hubB, 3],
    ] as const) {
      const polled = poll(hubB, 'next', after);
      await untilWaiting(hubB);
      await say(hub, 'next', `after ${after}`);
      expect(await polled).toMatchObject({
        status: 200,
        body: { events: [{ seq: after + 1 }], head: after + 1, hasMore: false },
      });
      expect(await waitingAt(hubB)).toBe(0);
    }
  });

  it('is answered at once while there are events, and when the reader is ahead of the log', async () => {
    await createChannel(hubA, 'now');
    expect((await poll(hubA, 'now', 0)).body.events).toHaveLength(2);
    expect((await poll(hubA, 'now', 9)).body).toMatchObject({ events: [], head: 2 });
  });

  it('is answered with an empty page at the end of its time', async () => {
    await createChannel(hubA, 'quiet');
    const startMs = performance.now();
    expect((await poll(hubA, 'quiet', 2, 300)).body).toEqual({
      ...{ events: [], head: 2, floor: 1, hasMore: false },
    });
    expect(performance.now() - startMs).toBeGreaterThan(290);
    expect(await hubA.request('ben', 'GET', pathOf('quiet', 2, 50_001))).toMatchObject({
      status: 400,
      body: { error: { issues: [{ path: ['waitMs'] }] } },
    });
  });

  it('finds an event that was not published, and direct messages, without a socket', async () => {
    await using other = await startTestHub({ ...noRedis, HUB_DB_URL: alone.databaseUrl });
    await createChannel(alone, 'lost');
    const polled = poll(alone, 'lost', 2);
    await untilWaiting(alone);
    await say(other, 'lost', 'found');
    expect((await polled).body.events).toHaveLength(1);
    const { body } = await other.request('ana', 'POST', '/v1/direct/ben', { content: 'one' });
    const direct = poll(alone, body.channelId, body.seq);
    await untilWaiting(alone);
    await alone.request('ana', 'POST', '/v1/direct/ben', { content: 'two' });
    expect((await direct).body.events).toMatchObject([{ event: { message: { content: 'two' } } }]);
  });

  // Invariant: an answer holds nothing that was committed after the reader's removal.
  it('ends with the membership, and with the channel', async () => {
    await createChannel(hubA, 'removed');
    const polled = poll(hubB, 'removed', 2);
    await untilWaiting(hubB);
    await hubA.request('ana', 'DELETE', '/v1/channels/removed/members/ben');
    await say(hubA, 'removed', 'secret');
    expect(await polled).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });

    await createChannel(hubA, 'deleted');
    const last = poll(hubB, 'deleted', 2);
    await untilWaiting(hubB);
    await hubA.request('ana', 'DELETE', '/v1/channels/deleted');
    expect(await last).toMatchObject({ status: 404 });
  });

  it('ends with the connection that asked', async () => {
    await createChannel(hubA, 'gone');
    const abort = new AbortController();
    const url = `${hubA.url}${pathOf('gone', 2)}&agent=ben`;
    const aborted = fetch(url, { signal: abort.signal }).catch((error: Error) => error.name);
    const ben = await hubA.connect('ben');
    const answer = ben.call('log.read', { channelId: 'gone', after: 2, waitMs: 50_000 });
    const lost = answer.catch((error: Error) => error.message);
    await untilWaiting(hubA, 2);
    abort.abort();
    await untilWaiting(hubA, 1);
    await ben.close();
    await untilWaiting(hubA, 0);
    expect(await aborted).toBe('AbortError');
    expect(await lost).toMatch(/closed/);
  });

  it('has a limit for each agent', async () => {
    await createChannel(hubA, 'many');
    const abort = new AbortController();
    const url = `${hubA.url}${pathOf('many', 2)}&agent=ben`;
    const polls = Array.from({ length: 16 }, () =>
      fetch(url, { signal: abort.signal }).catch(() => null),
    );
    await untilWaiting(hubA, 16);
    const refused = await poll(hubA, 'many', 2);
    expect(refused).toMatchObject({ status: 429, body: { error: { retryAfterMs: 1_000 } } });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await hubA.request('ana', 'GET', pathOf('many', 2, 20))).toMatchObject({ status: 200 });
    abort.abort();
    await Promise.all(polls);
    await untilWaiting(hubA, 0);
  });

  // If each waiting read reserved its 8 MiB, ten of them would exceed the agent's budget of unsent output.
  it('reserves no memory and holds up no other call of its socket while it waits', async () => {
    await createChannel(hubA, 'side');
    await using ben = await hubA.connect('ben');
    const read = { channelId: 'side', after: 2, waitMs: 50_000 };
    const reads = Array.from({ length: 10 }, () => ben.call('log.read', read));
    await untilWaiting(hubA, 10);
    expect((await ben.call('message.history', { channelId: 'side' })).messages).toEqual([]);
    await ben.call('message.send', { channelId: 'side', content: 'from the same socket' });
    for (const { events } of await Promise.all(reads)) expect(events).toHaveLength(1);
  });

  it('does not wait in a batch that is answered with one array', async () => {
    await createChannel(hubA, 'batch');
    await using ben = await hubA.connect('ben', { protocols: [] });
    const params = { channelId: 'batch', after: 2, waitMs: 50_000 };
    ben.send(
      JSON.stringify([
        { jsonrpc: '2.0', id: 'a', method: 'log.read', params },
        { jsonrpc: '2.0', id: 'b', method: 'ping' },
      ]),
    );
    await waitFor(() => ben.received.some(({ id }) => id === 'a'));
    expect(ben.received.find(({ id }) => id === 'a')?.result).toMatchObject({ events: [] });
  });

  it.each([true, false])(
    'is answered when its hub drains, with a socket: %s',
    async (hasSocket) => {
      const database = closeAfterAll(await temporaryDatabase());
      const hub = await startTestHub({ ...noRedis, HUB_DB_URL: database.url });
      await createChannel(hub, 'drained');
      const socket = hasSocket ? await hub.connect('eve') : null;
      const polled = poll(hub, 'drained', 2);
      await untilWaiting(hub);
      const closed = hub.close();
      expect(await polled).toMatchObject({ status: 200, body: { events: [], head: 2 } });
      if (socket) expect(await poll(hub, 'drained', 2)).toMatchObject({ status: 503 });
      await closed;
    },
  );

  it('ends when the token is revoked, and when it expires', async () => {
    const secret = 'a-secret-for-tests-of-more-than-32-characters';
    await using hub = await startTestHub({
      ...noRedis,
      HUB_HOST: '127.0.0.1',
      HUB_AUTH: 'jwt',
      HUB_JWT_SECRET: secret,
    });
    const tokenOf = async (sub: string, ttlSeconds = 600, role?: 'admin') =>
      (await mintFor(secret, { sub, ttlSeconds, ...(role && { role }) })).token;
    const [ana, ben, short] = [
      await tokenOf('ana', 600, 'admin'),
      await tokenOf('ben'),
      await tokenOf('ana', 2),
    ];
    const request = async (token: string, method: string, path: string, body?: object) => {
      const response = await fetch(`${hub.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: body ? JSON.stringify(body) : null,
      });
      return { status: response.status, body: (await response.json()) as object };
    };
    await request(ana, 'POST', '/v1/channels', { channelId: 'tokens', name: 'Tokens' });
    await request(ben, 'POST', '/v1/channels/tokens/join');
    const polled = request(ben, 'GET', pathOf('tokens', 2));
    const expiring = request(short, 'GET', pathOf('tokens', 2));
    await untilWaiting(hub, 2);
    await request(ana, 'DELETE', '/v1/tokens?sub=ben');
    const unauthorized = { status: 401, body: { error: { code: 'unauthorized' } } };
    expect(await polled).toMatchObject(unauthorized);
    expect(await expiring).toMatchObject(unauthorized);
  });
});
