import { describe, expect, it } from '@jest/globals';
import {
  connectRpc,
  startHub,
  waitFor,
  type RpcObject,
  type RpcSocket,
} from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { range, seqsOf } from '../testing/seqs.ts';

const mib = 1_048_576;
const channelId = 'unread';
const socketCount = 60;
let last = 0;

const connect = (agentId: string) => connectRpc(`${hub.url}/v1/ws?agent=${agentId}`);

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${hub.httpUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
}

async function send(count: number): Promise<number> {
  const params = { channelId, content: 'x'.repeat(30_000) };
  const sent = await Promise.all(range(1, count).map(() => ana.call('message.send', params)));
  return Math.max(...sent.map(({ seq }) => seq as number));
}

// The hub runs in its own process, so that its memory can be measured.
const hub = closeAfterAll(
  await startHub({ env: { HUB_LIMIT_MESSAGE: '1000000/60', LOG_LEVEL: 'error' } }),
);
const ana = closeAfterAll(await connect('ana'));
await ana.call('channel.create', { channelId, name: channelId });
for (const agentId of ['greedy', 'ben']) await ana.call('member.add', { channelId, agentId });
for (let round = 1; round <= 3; round++) last = await send(100);

/** Returns the most unsent bytes, and the largest increase of resident memory, during the work. */
async function watched(work: () => Promise<unknown>) {
  const before = await metric('process_resident_memory_bytes');
  let unsent = 0;
  let resident = 0;
  let isDone = false;
  const done = work().finally(() => (isDone = true));
  do {
    unsent = Math.max(unsent, await metric('hub_unsent_bytes'));
    resident = Math.max(resident, (await metric('process_resident_memory_bytes')) - before);
  } while (!isDone);
  await done;
  return { unsent, resident };
}

const answerOf = ({ received }: RpcSocket, id: string): RpcObject | undefined =>
  received.find((object) => object.id === id);

describe('many sockets of one agent that do not read', () => {
  // The race: each socket requests 8 MiB before any socket has an answer, and events continue. Invariants: unsent
  // output stays within the agent's budget, other agents are served, and no event is lost.
  it('use no more memory than one agent may, and continue when they read again', async () => {
    const ben = await connect('ben');
    await ben.call('subscribe', { topics: [{ channelId }] });
    const sockets = await Promise.all(range(1, socketCount).map(() => connect('greedy')));
    await Promise.all(
      sockets.map((socket) => socket.call('subscribe', { topics: [{ channelId }] })),
    );
    const first = last + 1;
    for (const { ws } of sockets) ws.pause();

    const { unsent, resident } = await watched(async () => {
      const call = { jsonrpc: '2.0', method: 'log.read', params: { channelId, after: 0 } };
      for (const socket of sockets)
        for (const id of ['a', 'b']) socket.send(JSON.stringify({ ...call, id }));
      for (let round = 1; round <= 10; round++) {
        last = await send(4);
        await ben.event(({ seq }) => seq === last);
        const { events } = await ben.call('log.read', { channelId, after: last - 50 });
        expect(events).toHaveLength(50);
      }
      await waitFor(async () => (await metric('hub_unsent_refusals_total')) > 0, {
        what: 'a refusal',
      });
    });
    // The limit is the sum of the agent's budget, one answer to Ben, and the output of one turn for each socket. The
    // hub writes that output before it knows that the socket does not read.
    expect(unsent / mib).toBeLessThan(16 + 8 + 16);
    expect(resident / 1e6).toBeLessThan(250);

    for (const { ws } of sockets) ws.resume();
    await Promise.all(
      sockets.map(async (socket) => {
        await socket.event(({ seq }) => seq === last, 25_000);
        expect(seqsOf(socket.events)).toEqual(range(first, last));
      }),
    );
    const answers = await waitFor(
      () => {
        const found = sockets.flatMap((socket) => ['a', 'b'].map((id) => answerOf(socket, id)));
        return found.every((answer) => answer !== undefined) && found;
      },
      { what: 'all answers', timeoutMs: 25_000 },
    );
    const refused = answers.filter((answer) => answer?.error);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) {
      expect(answer?.error?.data).toMatchObject({
        code: 'rate_limited',
        retryAfterMs: expect.any(Number),
      });
    }
    await waitFor(async () => (await metric('hub_unsent_bytes')) < mib, { what: 'an empty hub' });
    const again = await sockets[0]?.call('log.read', { channelId, after: 0 });
    expect(seqsOf(again.events)[0]).toBe(1);
    await Promise.all([ben, ...sockets].map((socket) => socket.close()));
  }, 90_000);

  it('count together with REST requests whose answers are not read', async () => {
    const url = `${hub.httpUrl}/v1/channels/${channelId}/log?after=0&agent=greedy`;
    const unread = await Promise.all(range(1, 2).map(() => fetch(url)));
    const refusal = await waitFor(
      async () => {
        const response = await fetch(url);
        if (response.status === 429) return response;
        unread.push(response);
        return undefined;
      },
      { what: 'a refusal' },
    );
    expect(await refusal.json()).toMatchObject({ error: { code: 'rate_limited' } });
    expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await (await fetch(url.replace('greedy', 'ben'))).json()).toMatchObject({
      hasMore: true,
    });
    for (const response of unread) await response.arrayBuffer();
    await waitFor(async () => (await metric('hub_unsent_bytes')) < mib, { what: 'an empty hub' });
    expect((await fetch(url)).status).toBe(200);
  });
});
