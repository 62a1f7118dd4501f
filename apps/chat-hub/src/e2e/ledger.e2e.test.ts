import { expect, it } from '@jest/globals';
import { connectRpc, startHubPair, startRedis } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';

const redis = closeAfterAll(await startRedis());
const pair = closeAfterAll(await startHubPair({ REDIS_URL: redis.url }));
const [hubA, hubB] = pair.hubs;

const channelId = 'costs';
const turn = { model: 'small-1', tokensIn: 900, tokensOut: 80, costMicros: 1_200, ms: 640 };
const metadata = { turn };

// The reported failure: each program counted the tokens of its own agents, and lost the counts when
// it was killed.
it('what turns cost is summed over two hubs, also when one is killed', async () => {
  await using ana = await connectRpc(`${hubA.url}/v1/ws?agent=ana`);
  const ben = await connectRpc(`${hubB.url}/v1/ws?agent=ben`);
  await ana.call('channel.create', { channelId, name: 'Costs' });
  await ben.call('channel.join', { channelId });
  const send = { channelId, content: 'done', metadata };
  for (let n = 0; n < 3; n += 1) await ana.call('message.send', send);
  for (let n = 0; n < 5; n += 1) await ben.call('message.send', send);
  await hubB.kill();
  await ben.closed;
  const sums = await ana.call('ledger.sum', { channelId, by: 'agent' });
  expect(sums).toMatchObject({
    rows: [
      { agentId: 'ana', turns: 3, tokensIn: 2_700 },
      { agentId: 'ben', turns: 5, tokensIn: 4_500, tokensOut: 400, costMicros: 6_000, ms: 3_200 },
    ],
    nextCursor: null,
  });
  await expect(
    ana.call('message.send', { ...send, metadata: { turn: { ...turn, ms: '640' } } }),
  ).rejects.toMatchObject({ rpcCode: -32602 });
  const response = await fetch(`${hubA.httpUrl}/v1/call/ledger.sum?agent=ana`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'hour' }),
  });
  const { rows } = (await response.json()) as { rows: { turns: number }[] };
  expect(rows.reduce((all, { turns }) => all + turns, 0)).toBe(8);
});
