import { expect, it } from '@jest/globals';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { noRedis, startTestHub } from '../testing/test-hub.ts';

const hub = closeAfterAll(await startTestHub(noRedis));

// The server closes connections without traffic after 30 s, but not while a call waits.
it('a read that waits for more than 30 s over REST is answered, and its connection is used again', async () => {
  await hub.request('ana', 'POST', '/v1/channels', { channelId: 'long', name: 'Long' });
  const startMs = performance.now();
  const path = '/v1/channels/long/log?after=1&waitMs=34000';
  expect(await hub.request('ana', 'GET', path)).toMatchObject({ status: 200, body: { head: 1 } });
  expect(performance.now() - startMs).toBeGreaterThan(33_000);
  expect(await hub.request('ana', 'POST', '/v1/call/ping')).toMatchObject({ status: 200 });
});
