import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Envelope } from '@openclaw/protocol';
import {
  connectRpc,
  startHub,
  startRedis,
  temporaryFolder,
  waitFor,
  type HubProcess,
  type RedisServer,
} from '@openclaw/test-support';
import { createClient } from './client.ts';
import type { HubClient } from './hub-client.ts';

let redis: RedisServer;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let killed: HubProcess;
let other: HubProcess;
const clients: HubClient[] = [];

beforeAll(async () => {
  redis = await startRedis();
  folder = await temporaryFolder('quiet');
  const env = { REDIS_URL: redis.url, HUB_DB_URL: `sqlite:${folder.path}/hub.sqlite` };
  killed = await startHub({ env });
  other = await startHub({ env });
}, 60_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await killed?.stop();
  await other?.stop();
  await redis?.stop();
  await folder?.remove();
});

function connect(agent: string, { url }: HubProcess): HubClient {
  const client = createClient({ url, agent, backoffMinMs: 50, backoffMaxMs: 200 });
  clients.push(client);
  return client;
}

describe('a subscription without any event yet', () => {
  // The race: the client has received only ephemeral events, which have no seq, and then the hub that knew the client's
  // position is killed.
  it('resumes from its start when its hub was killed, even if ephemeral events arrived', async () => {
    const channelId = 'quiet';
    const [ada, bob] = [connect('ada', other), connect('bob', killed)];
    await ada.call('channel.create', { channelId, name: 'Quiet' });
    for (const content of ['before', 'before too']) await ada.channel(channelId).send(content);
    await bob.channel(channelId).join();
    const events: Envelope[] = [];
    const discontinuities: unknown[] = [];
    bob.on('event', (envelope) => events.push(envelope));
    bob.on('discontinuity', (received) => discontinuities.push(received));
    const { head } = await bob.channel(channelId).subscribe();
    await ada.channel(channelId).startTyping();
    await waitFor(() => events.some(({ event }) => event.type === 'channel.typing'));
    expect(events.every(({ seq }) => seq === null)).toBe(true);

    await killed.kill();
    await waitFor(() => bob.state !== 'live');
    for (const content of ['one', 'two', 'three']) await ada.channel(channelId).send(content);
    await killed.restart();
    const durable = () => events.filter(({ seq }) => seq !== null);
    await waitFor(() => durable().length >= 3, { timeoutMs: 20_000 });
    await ada.channel(channelId).send('live');
    await waitFor(() => durable().length >= 4);
    expect(durable().map(({ seq }) => seq)).toEqual([1, 2, 3, 4].map((n) => head + n));
    expect(discontinuities).toEqual([]);

    // Negative control: a client that names no position misses the events.
    const forgetful = await connectRpc(`${killed.url}/v1/ws?agent=bob`);
    const { topics } = await forgetful.call('subscribe', { topics: [{ channelId }] });
    expect(topics).toMatchObject([{ head: head + 4, resumed: false, events: [] }]);
    await forgetful.close();
  }, 60_000);
});
