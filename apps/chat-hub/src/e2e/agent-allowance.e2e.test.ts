import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { parseCloseReason } from '@openclaw/protocol';
import {
  connectRpc,
  freePort,
  waitFor,
  type RpcObject,
  type RpcSocket,
} from '@openclaw/test-support';
import { startTestHub, temporaryDatabase, type TestHub } from '../testing/test-hub.ts';
import { range } from '../testing/seqs.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Windows of an hour keep the results independent of the test's speed. */
async function hubWith(limit: string): Promise<TestHub> {
  const database = await temporaryDatabase();
  cleanups.push(() => database.remove());
  const hub = await startTestHub({
    HUB_DB_URL: database.url,
    REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    HUB_LIMIT_CALLS: limit,
    LOG_LEVEL: 'error',
  });
  cleanups.push(() => hub.close());
  return hub;
}

const ping = (id: number) => JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' });
const codeOf = ({ error }: RpcObject) => error?.data?.code ?? error?.code ?? 'ok';

async function answers(socket: RpcSocket, frames: readonly string[], count = frames.length) {
  const before = socket.received.length;
  for (const frame of frames) socket.send(frame);
  return waitFor(() => {
    const came = socket.received.slice(before).filter(({ method }) => method === undefined);
    return came.length >= count && came;
  });
}

describe('an agent far over its allowance', () => {
  let hub: TestHub;
  let database: { url: string; remove(): Promise<void> };
  beforeAll(async () => {
    database = await temporaryDatabase();
    hub = await startTestHub({
      HUB_DB_URL: database.url,
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
      HUB_LIMIT_CALLS: '100/3600',
      LOG_LEVEL: 'error',
    });
  });
  afterAll(async () => {
    await hub?.close();
    await database?.remove();
  });

  // The race: each socket stays below every limit of a socket, but together they overload the hub. Invariants: all
  // sockets of an agent share one allowance, and an agent that makes far too many calls loses all its sockets.
  it('is closed on all its sockets with 4429 and a time to reconnect, and no other agent is', async () => {
    const sockets = await Promise.all(range(1, 5).map(() => hub.connect('mallory')));
    const other = await hub.connect('ana');
    const frames = range(1, 60).flatMap((id) => ['{', ping(id)]);
    for (const socket of sockets) for (const frame of frames) socket.send(frame);
    const pings = range(1, 20).map(() => other.call('ping'));
    const closes = await Promise.all(sockets.map((socket) => socket.closed));
    for (const { code, reason } of closes) {
      expect(code).toBe(4429);
      expect(parseCloseReason(reason)).toBeGreaterThan(0);
    }
    expect(await Promise.all(pings)).toHaveLength(20);
    expect(other.ws.readyState).toBe(other.ws.OPEN);
    const served = sockets.flatMap(({ received }) =>
      received.filter((object) => 'result' in object),
    );
    expect(served.length).toBeLessThanOrEqual(100);
    await other.close();
  });

  it('is not admitted before that time, over WebSocket or REST, while others are', async () => {
    const again = await connectRpc(`${hub.url.replace('http', 'ws')}/v1/ws?agent=mallory`, {
      waitForWelcome: false,
    });
    const { code, reason } = await again.closed;
    expect({ code, afterMs: parseCloseReason(reason) }).toEqual({
      code: 4429,
      afterMs: expect.any(Number),
    });
    await expect(hub.connect('mallory', { protocols: [] })).rejects.toThrow('429');
    const refused = await hub.request('mallory', 'GET', '/v1/channels');
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'rate_limited' } } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await hub.request('ana', 'GET', '/v1/channels')).status).toBe(200);
    await (await hub.connect('ben')).close();
  });
});

describe('the allowance of an agent', () => {
  it('is used up by refused, malformed and unknown calls too, and is checked before the params', async () => {
    const hub = await hubWith('10/3600');
    const socket = await hub.connect('ana');
    const bad = ['{', '[]', '{"jsonrpc":"2.0","id":1}', '{"jsonrpc":"2.0","id":2,"method":"no"}'];
    await answers(socket, [...bad, ...range(1, 6).map(ping)]);
    const beyond = await answers(socket, [
      '{"jsonrpc":"2.0","id":7,"method":"message.send","params":{}}',
      '{"jsonrpc":"2.0","id":8,"method":"no"}',
      ping(9),
    ]);
    expect(beyond.map(codeOf)).toEqual(['rate_limited', 'rate_limited', 'rate_limited']);
    expect(beyond.map(({ id }) => id)).toEqual([7, 8, 9]);
    for (const { error } of beyond) expect(error?.data?.retryAfterMs).toBeGreaterThan(0);
    await socket.close();
  });

  it('is shared by all its sockets and REST', async () => {
    const hub = await hubWith('10/3600');
    const [one, two] = [await hub.connect('ana'), await hub.connect('ana')];
    await answers(one, range(1, 4).map(ping));
    await answers(two, range(1, 4).map(ping));
    expect((await hub.request('ana', 'GET', '/v1/channels')).status).toBe(200);
    expect((await hub.request('ana', 'POST', '/v1/channels', [])).status).toBe(400);
    expect((await hub.request('ana', 'GET', '/v1/channels')).status).toBe(429);
    expect((await answers(one, [ping(5)])).map(codeOf)).toEqual(['rate_limited']);
    expect((await hub.request('ben', 'GET', '/v1/channels')).status).toBe(200);
    await Promise.all([one.close(), two.close()]);
  });

  it.each([
    ['one answer each', ['openclaw.v1']],
    ['one array', []],
  ])('is used up by each call of a batch, answered with %s', async (_how, protocols) => {
    const hub = await hubWith('10/3600');
    const socket = await hub.connect('ana', { protocols });
    const batch = `[${range(1, 15).map(ping).join(',')},{"jsonrpc":"2.0","method":"ping"}]`;
    const came = await answers(socket, [batch], 15);
    const codes = came.toSorted((a, b) => Number(a.id) - Number(b.id)).map(codeOf);
    expect(codes).toEqual([...Array(10).fill('ok'), ...Array(5).fill('rate_limited')]);
    await socket.close();
  });

  it('is exceeded over REST or by pings as by calls: the sockets are closed too', async () => {
    const hub = await hubWith('10/3600');
    const [ana, ben] = [await hub.connect('ana'), await hub.connect('ben')];
    await Promise.all(range(1, 51).map(() => hub.request('ana', 'GET', '/v1/channels')));
    expect((await ana.closed).code).toBe(4429);
    for (let i = 0; i < 51; i++) ben.ws.ping();
    expect((await ben.closed).code).toBe(4429);
  });

  // The fault: a frame can hold 80,000 wrong items, and the hub made an error for each.
  it('is not spent on checking a list longer than any method takes', async () => {
    const hub = await hubWith('1000/3600');
    const socket = await hub.connect('ana');
    const topics = Array(80_000).fill({});
    const frame = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'subscribe',
      params: { topics },
    });
    const [answer] = await answers(socket, [frame]);
    expect(answer?.error).toMatchObject({
      code: -32602,
      data: [{ path: ['topics'], message: 'the list has more than 1000 items' }],
    });
    await socket.call('channel.create', { channelId: 'c', name: 'C' });
    const posted = await hub.request('ana', 'POST', '/v1/channels/c/messages', {
      content: 'x',
      mentions: Array(20_000).fill(0),
    });
    expect(posted).toMatchObject({
      ...{ status: 400, body: { error: { code: 'invalid_params' } } },
    });
    expect(posted.body.error.issues).toHaveLength(1);
    await socket.close();
  });

  it('is available again after the time that the agent got', async () => {
    const hub = await hubWith('10/1');
    const socket = await hub.connect('ana');
    for (const id of range(1, 60)) socket.send(ping(id));
    const { code, reason } = await socket.closed;
    expect(code).toBe(4429);
    const afterMs = parseCloseReason(reason) ?? 0;
    expect(afterMs).toBeGreaterThan(0);
    expect(afterMs).toBeLessThanOrEqual(10_000);
    const atMs = performance.now() + afterMs;
    await waitFor(() => performance.now() >= atMs, { timeoutMs: 15_000 });
    const back = await hub.connect('ana');
    expect(await back.call('ping')).toHaveProperty('timestamp');
    await back.close();
  });
});
