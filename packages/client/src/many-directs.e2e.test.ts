import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Envelope } from '@openclaw/protocol';
import {
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
const hubs: HubProcess[] = [];
const clients: HubClient[] = [];

beforeAll(async () => {
  redis = await startRedis();
  folder = await temporaryFolder('many-directs');
  const env = {
    REDIS_URL: redis.url,
    HUB_DB_URL: `sqlite:${folder.path}/hub.sqlite`,
    HUB_LIMIT_MESSAGE: '100000/60',
    LOG_LEVEL: 'fatal',
  };
  for (let started = 0; started < 2; started += 1) hubs.push(await startHub({ env }));
}, 60_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  for (const hub of hubs) await hub.stop();
  await redis?.stop();
  await folder?.remove();
});

function connect(agent: string, hub: HubProcess | undefined): HubClient {
  const client = createClient({ url: hub?.url ?? '', agent, backoffMinMs: 50, backoffMaxMs: 200 });
  clients.push(client);
  return client;
}

describe('a client with more direct channels than a welcome names', () => {
  // The race: Redis is frozen, so the other hub finds the messages only in the log, many at a time.
  it('misses nothing of the oldest of them, with Redis frozen, nor over a reconnect from then on', async () => {
    const [ada, old] = [connect('ada', hubs[0]), connect('old', hubs[1])];
    await ada.direct('old').send('m1');
    await Promise.all(
      Array.from({ length: 204 }, (_, n) => ada.direct(`later-${n}`).send('hello')),
    );
    const client = connect('ada', hubs[0]);
    const heard: Envelope[] = [];
    const discontinuities: unknown[] = [];
    client.direct('old').on('event', (envelope) => heard.push(envelope));
    client.on('discontinuity', (received) => discontinuities.push(received));
    const { direct } = await client.ready();
    const { id } = await client.direct('old').channel();
    expect([direct.length, direct.some(({ channelId }) => channelId === id)]).toEqual([200, false]);

    redis.freeze();
    try {
      const stream = client.direct('old').events();
      for (let n = 2; n <= 6; n += 1) await old.direct('ada').send(`m${n}`);
      const read = [];
      for await (const { seq } of stream) {
        if (seq !== null) read.push(seq);
        if (seq === 6) break;
      }
      expect(read).toEqual([2, 3, 4, 5, 6]);
      await hubs[0]?.kill();
      await waitFor(() => client.state !== 'live');
      await old.direct('ada').send('m7');
      await hubs[0]?.restart();
      await waitFor(() => heard.at(-1)?.seq === 7, { timeoutMs: 20_000 });
      expect(heard.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6, 7]);
      expect(discontinuities).toEqual([]);
    } finally {
      redis.thaw();
    }
  }, 60_000);
});
