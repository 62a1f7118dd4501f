import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeEnvelope, limits } from '@openclaw/protocol';
import {
  freePort,
  startRedis,
  waitFor,
  type RedisServer,
  type RpcSocket,
} from '@openclaw/test-support';
import { openLogWriter, type LogWriter } from '../testing/log-writer.ts';
import { range, seqsOf } from '../testing/seqs.ts';
import {
  startTestHub,
  temporaryDatabase,
  type TestDatabase,
  type TestHub,
} from '../testing/test-hub.ts';

let redis: RedisServer;
let database: TestDatabase;
let writer: LogWriter;
let hub: TestHub;

beforeAll(async () => {
  redis = await startRedis();
  database = await temporaryDatabase();
  writer = await openLogWriter(database, redis.url);
  hub = await startTestHub({
    ...{ REDIS_URL: redis.url, HUB_DB_URL: database.url, HUB_LIMIT_MESSAGE: '1000000/60' },
  });
  await waitFor(() => hub.redis.available, { what: 'Redis for the hub' });
});
afterAll(async () => {
  await hub?.close();
  await writer?.close();
  await redis?.stop();
  await database?.remove();
});

const send = (from: string, to: string, content: string) =>
  writer.append(from, 'direct.send', { agentId: to, content });
const isMessage = (content: string) => (envelope: { event: { message?: { content: string } } }) =>
  envelope.event.message?.content === content;
const seqsIn = (socket: RpcSocket, channelId: string) =>
  seqsOf(socket.events.filter((envelope) => envelope.channelId === channelId));

const typingEvent = (channelId: string, agentId: string) =>
  encodeEnvelope({
    id: randomUUID(),
    event: { type: 'channel.typing', channelId, agentId, typing: true, threadId: null },
    ...{ timestamp: Date.now(), senderId: agentId, senderKind: null, channelId, seq: null },
    epoch: writer.store.epoch,
  });

describe('a new direct channel', () => {
  // The race: nothing but the log says that the channel is there. Invariant: its recipient, connected since before its
  // first message, gets it from seq 1 on, once, in order.
  it('with Redis away reaches a recipient on the other hub from its first message on', async () => {
    const alone = {
      ...{ HUB_DB_URL: database.url, LOG_LEVEL: 'error' },
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    };
    const [hubA, hubB] = [await startTestHub(alone), await startTestHub(alone)];
    try {
      const [ana, ben] = [await hubA.connect('ana'), await hubB.connect('ben')];
      const sent = [];
      for (const content of ['one', 'two', 'three'])
        sent.push(await ana.call('direct.send', { agentId: 'ben', content }));
      await ben.event(isMessage('three'));
      await ana.call('direct.send', { agentId: 'ben', content: 'four' });
      await ben.event(isMessage('four'));
      expect(seqsIn(ben, sent[0].channelId)).toEqual([1, 2, 3, 4]);
      expect(seqsIn(ana, sent[0].channelId)).toEqual([1, 2, 3, 4]);
      await Promise.all([ana.close(), ben.close()]);
    } finally {
      await hubA.close();
      await hubB.close();
    }
  });

  // The race: the first publish is lost, and the second is the first that the hub hears. Invariant: as above.
  it('whose first publish was lost is delivered from its first message on', async () => {
    const dora = await hub.connect('dora');
    await send('cem', 'dora', 'lost');
    const second = await send('cem', 'dora', 'second');
    await writer.publish(...second.events);
    await dora.event(isMessage('second'));
    const third = await send('cem', 'dora', 'third');
    await writer.publish(...third.events);
    await dora.event(isMessage('third'));
    expect(seqsIn(dora, second.result.channelId)).toEqual([1, 2, 3]);
    await dora.close();
  });

  it('whose publishes were all lost is found in the log', async () => {
    const eva = await hub.connect('eva');
    const { result } = await send('cem', 'eva', 'lost');
    await send('cem', 'eva', 'lost too');
    await eva.event(isMessage('lost too'));
    expect(seqsIn(eva, result.channelId)).toEqual([1, 2]);
    await eva.close();
  });
});

describe('a direct channel that the welcome did not name', () => {
  // The race: a typing event is the first that the hub hears of a channel that is long on. Invariant: nothing of its log
  // is replayed; live begins with what comes live.
  it('does not replay its log when someone types or writes there', async () => {
    const { result } = await send('old', 'fay', 'm1');
    const { channelId } = result;
    for (let sent = 2; sent <= 30; sent++) await send('old', 'fay', `m${sent}`);
    await Promise.all(
      range(1, limits.welcomeDirect + 1).map((n) => send(`later-${n}`, 'fay', 'hi')),
    );
    const fay = await hub.connect('fay');
    const named = fay.welcome.direct as { channelId: string }[];
    expect(named).toHaveLength(limits.welcomeDirect);
    expect(named.some((direct) => direct.channelId === channelId)).toBe(false);
    await writer.publish({ event: typingEvent(channelId, 'old'), agentTopics: ['old', 'fay'] });
    for (const content of ['m31', 'm32']) {
      const { events } = await send('old', 'fay', content);
      await writer.publish(...events);
    }
    await fay.event(isMessage('m32'));
    expect(seqsIn(fay, channelId)).toEqual([31, 32]);
    await fay.close();
  });
});

describe('an older direct channel that the welcome did not name', () => {
  const oldest = 'oldest';
  /** An agent with more direct channels than a welcome names; the oldest of them is at seq 1. */
  async function popular(agentId: string): Promise<string> {
    const { result } = await send(oldest, agentId, 'm1');
    await Promise.all(range(1, 204).map((n) => send(`later-${n}`, agentId, 'hi')));
    return result.channelId;
  }

  // The race: the publishes of five messages are lost, and one look at the log finds them all at once. Invariant: nothing
  // committed after the welcome is skipped, also where the welcome did not name the channel.
  it('is delivered without a hole though every publish was lost', async () => {
    const channelId = await popular('kim');
    const kim = await hub.connect('kim');
    expect(kim.welcome.direct).toHaveLength(limits.welcomeDirect);
    await Promise.all(range(2, 6).map((n) => send(oldest, 'kim', `m${n}`)));
    await waitFor(() => seqsIn(kim, channelId).includes(6), { what: 'the last message' });
    expect(seqsIn(kim, channelId)).toEqual(range(2, 6));
    expect(kim.received.some(({ method }) => method === 'discontinuity')).toBe(false);
    // A second socket shares what the first one knows, and what has come since is not sent to it again.
    const again = await hub.connect('kim');
    await send(oldest, 'kim', 'm7');
    for (const socket of [kim, again]) await socket.event(isMessage('m7'));
    const named = (again.welcome.direct as { channelId: string }[]).map(
      (direct) => direct.channelId,
    );
    expect(named).toContain(channelId);
    expect(seqsIn(again, channelId)).toEqual([7]);
    await Promise.all([kim.close(), again.close()]);
  });

  // The race: as above, and the other agent of the channel is here too, so that the channel is live already.
  it('is delivered also when the channel is live here for the other agent alone', async () => {
    const channelId = await popular('lea');
    const [lea, other] = [await hub.connect('lea'), await hub.connect(oldest)];
    await other.call('subscribe', { topics: [{ channelId }] });
    await Promise.all(range(2, 4).map((n) => send(oldest, 'lea', `m${n}`)));
    await lea.event(isMessage('m4'));
    expect(seqsIn(lea, channelId)).toEqual(range(2, 4));
    await Promise.all([lea.close(), other.close()]);
  });

  it('brings typing too, and nothing of its log from before the welcome', async () => {
    const channelId = await popular('max');
    const max = await hub.connect('max');
    await writer.publish({ event: typingEvent(channelId, oldest), agentTopics: [oldest, 'max'] });
    await max.event(({ event }) => event.type === 'channel.typing');
    const { events } = await send(oldest, 'max', 'm2');
    await writer.publish(...events);
    await max.event(isMessage('m2'));
    expect(seqsIn(max, channelId)).toEqual([2]);
    await max.close();
  });

  it('stays away from a token that is bound to other channels, and from who unsubscribed it', async () => {
    const channelId = await popular('nia');
    const nia = await hub.connect('nia');
    await nia.call('unsubscribe', { channelIds: [channelId] });
    await send(oldest, 'nia', 'm2');
    await send('later-1', 'nia', 'behind it');
    await nia.event(isMessage('behind it'));
    expect(seqsIn(nia, channelId)).toEqual([]);
    const { topics } = await nia.call('subscribe', { topics: [{ channelId, since: 1 }] });
    expect(topics[0]).toMatchObject({ head: 2, resumed: true });
    await nia.close();
  });

  // The race: Redis is frozen, so that messages sent through one hub are found by the other in the log alone.
  it('is delivered from hub to hub with Redis frozen', async () => {
    const frozen = await startRedis();
    const environment = {
      ...{ REDIS_URL: frozen.url, HUB_DB_URL: database.url, LOG_LEVEL: 'fatal' },
    };
    const [hubA, hubB] = [await startTestHub(environment), await startTestHub(environment)];
    try {
      const channelId = await popular('ola');
      const [ola, sender] = [await hubA.connect('ola'), await hubB.connect(oldest)];
      frozen.freeze();
      for (const n of range(2, 6)) {
        await sender.call('direct.send', { agentId: 'ola', content: `m${n}` });
      }
      await ola.event(isMessage('m6'));
      expect(seqsIn(ola, channelId)).toEqual(range(2, 6));
      await Promise.all([ola.close(), sender.close()]);
    } finally {
      frozen.thaw();
      await hubA.close();
      await hubB.close();
      await frozen.stop();
    }
  });
});

describe('a welcome', () => {
  // The race: direct messages are committed, deleted and published while connections are welcomed. Invariant: the head
  // that a welcome names and the live events after it are one unbroken run.
  it('beside a stream of direct messages and deletions names a head that the live events follow', async () => {
    const gus = await hub.connect('gus');
    const { channelId } = await gus.call('direct.send', { agentId: 'hal', content: 'first' });
    let isStopped = false;
    const stream = (async () => {
      while (!isStopped) {
        const { messageId } = await gus.call('direct.send', { agentId: 'hal', content: 'm' });
        await gus.call('message.delete', { channelId, messageId });
      }
    })();
    for (let round = 0; round < 15; round++) {
      const hal = await hub.connect('hal');
      await waitFor(() => hal.events.length > 10, { what: 'live events' });
      const [{ head }] = hal.welcome.direct;
      const seqs = seqsIn(hal, channelId);
      expect(seqs).toEqual(range(head + 1, head + seqs.length));
      await hal.close();
    }
    isStopped = true;
    await stream;
    await gus.close();
  });
});
