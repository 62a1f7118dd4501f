import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Envelope } from '@openclaw/protocol';
import {
  startHub,
  startProcess,
  startRedis,
  waitFor,
  type HubProcess,
  type RedisServer,
} from '@openclaw/test-support';
import { createClient } from './client.ts';
import type { HubClient } from './hub-client.ts';

const secret = 'a-secret-for-tests-of-more-than-32-characters';
let redis: RedisServer;
let hub: HubProcess;
const clients: HubClient[] = [];

beforeAll(async () => {
  redis = await startRedis();
  hub = await startHub({ env: { REDIS_URL: redis.url, HUB_LIMIT_MESSAGE: '1000000/60' } });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});
afterAll(async () => {
  await hub.stop();
  await redis.stop();
});

function connect(agent: string, url = hub.url): HubClient {
  const client = createClient({
    url,
    agent,
    backoffMinMs: 50,
    backoffMaxMs: 200,
    queueMax: 100_000,
  });
  clients.push(client);
  return client;
}

let channels = 0;
async function createChannel(...members: HubClient[]): Promise<string> {
  channels += 1;
  const channelId = `room-${channels}`;
  await members[0]?.call('channel.create', { channelId, name: 'Room' });
  await Promise.all(members.slice(1).map((member) => member.channel(channelId).join()));
  return channelId;
}

const contentsOf = (envelopes: readonly Envelope[]) =>
  envelopes.flatMap(({ event }) =>
    event.type === 'channel.message' ? [event.message.content] : [],
  );

describe('a client of a real hub', () => {
  it('Full message flow: sends, edits, reacts, deletes, and the other sees each event once and in order', async () => {
    const [ada, bob] = [connect('ada'), connect('bob')];
    const channelId = await createChannel(ada, bob);
    const events: Envelope[] = [];
    bob.on('event', (envelope) => {
      if (envelope.seq !== null) events.push(envelope);
    });
    const { head } = await bob.channel(channelId).subscribe();

    const room = ada.channel(channelId);
    const { messageId } = await room.send('Hello');
    await room.edit(messageId, 'Hello, world');
    expect(await bob.channel(channelId).react(messageId, '👍')).toMatchObject({ changed: true });
    await bob.channel(channelId).unreact(messageId, '👍');
    await room.delete(messageId);
    await waitFor(() => events.length === 5);
    expect(events.map(({ event }) => event.type)).toEqual([
      'channel.message',
      'channel.message.edit',
      'channel.reaction.add',
      'channel.reaction.remove',
      'channel.message.delete',
    ]);
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5].map((n) => head + n));
    const { messages } = await bob.channel(channelId).history();
    expect(messages).toMatchObject([{ id: messageId, content: '', deletedAt: expect.any(Number) }]);
  });

  it('receives typing and presence of the others', async () => {
    const [ada, bob] = [connect('ada2'), connect('bob2')];
    const channelId = await createChannel(ada, bob);
    const seen: string[] = [];
    bob.on('event', ({ event }) => {
      if (event.type === 'channel.typing') seen.push(`${event.agentId} typing ${event.typing}`);
      if (event.type !== 'channel.presence') return;
      for (const { agentId, status } of event.presences) seen.push(`${agentId} ${status}`);
    });
    await bob.channel(channelId).subscribe();
    await ada.channel(channelId).subscribe();
    await waitFor(() => seen.includes('ada2 online'));
    await ada.channel(channelId).startTyping();
    await waitFor(() => seen.includes('ada2 typing true'));
    expect((await bob.channel(channelId).typing()).agents).toEqual(['ada2']);
    await ada.channel(channelId).startTyping('a-thread');
    await ada.channel(channelId).stopTyping();
    await waitFor(() => seen.includes('ada2 typing false'));
    expect((await bob.channel(channelId).typing('a-thread')).agents).toEqual(['ada2']);
    expect((await bob.channel(channelId).typing('another')).agents).toEqual([]);
    await ada.call('presence.set', { status: 'dnd' });
    await waitFor(() => seen.includes('ada2 dnd'));
    await ada.close();
    await waitFor(() => seen.includes('ada2 offline'));
  });

  it('receives direct messages without subscribing, and notices of other channels', async () => {
    const [ada, bob] = [connect('ada3'), connect('bob3')];
    await bob.ready();
    const direct: Envelope[] = [];
    const notices: Envelope[] = [];
    bob.on('event', (envelope) => direct.push(envelope));
    bob.on('notice', (envelope) => notices.push(envelope));
    const { channelId } = await ada.call('direct.send', { agentId: 'bob3', content: 'psst' });
    await waitFor(() => contentsOf(direct).includes('psst'));
    expect(channelId).toMatch(/^dm_[0-9a-f]{32}$/);
    const room = await createChannel(ada, bob);
    await ada.channel(room).send('Look here', { mentions: ['bob3'] });
    await waitFor(() => contentsOf(notices).includes('Look here'));
    expect(contentsOf(direct)).toEqual(['psst']);
  });

  it('gets the reason of a refusal', async () => {
    const [ada, eve] = [connect('ada4'), connect('eve4')];
    const channelId = await createChannel(ada);
    await expect(eve.channel(channelId).send('hi')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(eve.channel(channelId).subscribe()).rejects.toMatchObject({ code: 'forbidden' });
    await expect(eve.channel('nowhere').join()).rejects.toMatchObject({ code: 'not_found' });
    await expect(eve.channel('no where').join()).rejects.toMatchObject({ code: 'invalid' });
  });

  it('sends and receives every message exactly once although the hub is killed', async () => {
    const own = await startHub({ env: { REDIS_URL: redis.url, HUB_LIMIT_MESSAGE: '1000000/60' } });
    try {
      const [ada, bob] = [connect('ada', own.url), connect('bob', own.url)];
      await ada.call('channel.create', { channelId: 'hall', name: 'Hall' });
      await bob.channel('hall').join();
      const received: Envelope[] = [];
      const discontinuities: unknown[] = [];
      bob.on('discontinuity', (discontinuity) => discontinuities.push(discontinuity));
      const reading = (async () => {
        for await (const envelope of bob.channel('hall').events({ since: 0 })) {
          if (envelope.seq !== null) received.push(envelope);
        }
      })().catch(() => {});

      const acks: Promise<{ seq: number }>[] = [];
      const sender = setInterval(() => {
        acks.push(ada.channel('hall').send(`message ${acks.length}`, {}, { timeoutMs: 60_000 }));
      }, 5);
      for (let kill = 1; kill <= 3; kill += 1) {
        const before = received.length;
        await waitFor(() => received.length > before + 20, { timeoutMs: 30_000 });
        await own.kill();
        await own.restart();
      }
      clearInterval(sender);
      const seqs = (await Promise.all(acks)).map(({ seq }) => seq);
      const { head } = (await ada.call('channel.get', { channelId: 'hall' })).channel;
      await waitFor(() => received.at(-1)?.seq === head, { timeoutMs: 30_000 });

      expect(new Set(seqs).size).toBe(acks.length);
      expect(contentsOf(received).sort()).toEqual(acks.map((_, i) => `message ${i}`).sort());
      expect(received.map(({ seq }) => seq)).toEqual(Array.from({ length: head }, (_, i) => i + 1));
      expect(discontinuities).toEqual([]);
      await bob.close();
      await reading;
    } finally {
      await own.stop();
    }
  }, 120_000);

  it('reconnects after the hub was stopped and started again', async () => {
    const own = await startHub({ env: { REDIS_URL: redis.url } });
    const ada = connect('ada', own.url);
    const states: string[] = [];
    ada.on('state', ({ state }) => states.push(state));
    await ada.ready();
    await own.stop();
    await waitFor(() => states.includes('reconnecting'));
    const again = await startHub({ env: { REDIS_URL: redis.url }, port: own.port });
    await waitFor(() => ada.state === 'live', { timeoutMs: 20_000 });
    await again.stop();
  });
});

describe('a client of a hub with tokens', () => {
  let guarded: HubProcess;
  beforeAll(async () => {
    guarded = await startHub({
      env: { REDIS_URL: redis.url, HUB_AUTH: 'jwt', HUB_JWT_SECRET: secret },
    });
  });
  afterAll(() => guarded.stop());

  it('closes with the reason when its token is refused', async () => {
    const client = createClient({ url: guarded.url, token: 'not.a.token' });
    clients.push(client);
    await expect(client.ready()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(client.state).toBe('closed');
  });
});

describe('the README', () => {
  it('shows lines that run to their end', async () => {
    const folder = resolve(fileURLToPath(import.meta.url), '../..');
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    const example = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? '';
    expect(example).toContain('createClient');
    const code = example.replaceAll('ws://127.0.0.1:8080', hub.url);
    // The package's name resolves here as in a user's project.
    const run = startProcess(
      process.execPath,
      ['--conditions=@openclaw/source', '--input-type=module', '--eval', code],
      {
        cwd: folder,
        env: { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
      },
    );
    expect({ code: await run.exited, output: run.output() }).toEqual({
      code: 0,
      output: 'ada: Hello\n',
    });
  });
});
