import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { encodeEnvelope, limits } from '@openclaw/protocol';
import { startRedis, waitFor, type RpcSocket } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { openLogWriter } from '../testing/log-writer.ts';
import { range, seqsOf } from '../testing/seqs.ts';
import { noRedis, startTestHub, temporaryDatabase } from '../testing/test-hub.ts';
import { isMessage } from '../testing/messages.ts';

const redis = closeAfterAll(await startRedis());
const database = closeAfterAll(await temporaryDatabase());
const writer = closeAfterAll(await openLogWriter(database, redis.url));
const hub = closeAfterAll(
  await startTestHub({
    REDIS_URL: redis.url,
    HUB_DB_URL: database.url,
    HUB_LIMIT_MESSAGE: '1000000/60',
  }),
);
await waitFor(() => hub.redis.available, { what: 'Redis for the hub' });

const send = (from: string, to: string, content: string) =>
  writer.append(from, 'direct.send', { agentId: to, content });
const seqsIn = (socket: RpcSocket, channelId: string) =>
  seqsOf(socket.events.filter((envelope) => envelope.channelId === channelId));

const typingEvent = (channelId: string, agentId: string) =>
  encodeEnvelope({
    id: randomUUID(),
    event: { type: 'channel.typing', channelId, agentId, typing: true, threadId: null },
    timestamp: Date.now(),
    senderId: agentId,
    senderKind: null,
    channelId,
    seq: null,
    epoch: writer.store.epoch,
  });

describe('a new direct channel', () => {
  // The race: the hub learns of the new channel only from the log.
  it('reaches a recipient on the other hub from its first message on while Redis is away', async () => {
    const alone = { ...noRedis, HUB_DB_URL: database.url };
    await using hubA = await startTestHub(alone);
    await using hubB = await startTestHub(alone);
    await using ana = await hubA.connect('ana');
    await using ben = await hubB.connect('ben');
    const sent = [];
    for (const content of ['one', 'two', 'three'])
      sent.push(await ana.call('direct.send', { agentId: 'ben', content }));
    await ben.event(isMessage('three'));
    await ana.call('direct.send', { agentId: 'ben', content: 'four' });
    await ben.event(isMessage('four'));
    expect(seqsIn(ben, sent[0].channelId)).toEqual([1, 2, 3, 4]);
    expect(seqsIn(ana, sent[0].channelId)).toEqual([1, 2, 3, 4]);
  });

  // The race: the first publish is lost, so the hub receives the second event first.
  it('is delivered from its first message on though that publish was lost', async () => {
    await using dora = await hub.connect('dora');
    await send('cem', 'dora', 'lost');
    const second = await send('cem', 'dora', 'second');
    await writer.publish(...second.events);
    await dora.event(isMessage('second'));
    const third = await send('cem', 'dora', 'third');
    await writer.publish(...third.events);
    await dora.event(isMessage('third'));
    expect(seqsIn(dora, second.result.channelId)).toEqual([1, 2, 3]);
  });

  it('is found in the log though all its publishes were lost', async () => {
    await using eva = await hub.connect('eva');
    const { result } = await send('cem', 'eva', 'lost');
    await send('cem', 'eva', 'lost too');
    await eva.event(isMessage('lost too'));
    expect(seqsIn(eva, result.channelId)).toEqual([1, 2]);
  });
});

describe('a direct channel that the welcome did not name', () => {
  // The race: the first event that the hub receives from an old channel is a typing event.
  it('does not replay its log when an agent types or writes there', async () => {
    const { result } = await send('old', 'fay', 'm1');
    const { channelId } = result;
    for (let sent = 2; sent <= 30; sent++) await send('old', 'fay', `m${sent}`);
    await Promise.all(
      range(1, limits.welcomeDirect + 1).map((n) => send(`later-${n}`, 'fay', 'hi')),
    );
    await using fay = await hub.connect('fay');
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
  });
});

describe('an older direct channel that the welcome did not name', () => {
  const oldest = 'oldest';
  /**
   * Gives the agent more direct channels than a welcome names. Returns the oldest of these channels, which is at seq 1.
   */
  async function popular(agentId: string): Promise<string> {
    const { result } = await send(oldest, agentId, 'm1');
    await Promise.all(range(1, 204).map((n) => send(`later-${n}`, agentId, 'hi')));
    return result.channelId;
  }

  // The race: the welcome did not name the channel, and the publishes of five messages in it are lost. One read of the
  // log then finds all five.
  it('is delivered without a gap though every publish was lost', async () => {
    const channelId = await popular('kim');
    await using kim = await hub.connect('kim');
    expect(kim.welcome.direct).toHaveLength(limits.welcomeDirect);
    await Promise.all(range(2, 6).map((n) => send(oldest, 'kim', `m${n}`)));
    await waitFor(() => seqsIn(kim, channelId).includes(6), { what: 'the last message' });
    expect(seqsIn(kim, channelId)).toEqual(range(2, 6));
    expect(kim.received.some(({ method }) => method === 'discontinuity')).toBe(false);
    await using again = await hub.connect('kim');
    await send(oldest, 'kim', 'm7');
    for (const socket of [kim, again]) await socket.event(isMessage('m7'));
    const named = (again.welcome.direct as { channelId: string }[]).map(
      (direct) => direct.channelId,
    );
    expect(named).toContain(channelId);
    expect(seqsIn(again, channelId)).toEqual([7]);
  });

  // The race: every publish is lost, and the other agent already follows the channel on this hub. Invariant: nothing
  // that was committed after the welcome is skipped.
  it('is delivered even if only the other agent has the channel live on this hub', async () => {
    const channelId = await popular('lea');
    const [lea, other] = [await hub.connect('lea'), await hub.connect(oldest)];
    await other.call('subscribe', { topics: [{ channelId }] });
    await Promise.all(range(2, 4).map((n) => send(oldest, 'lea', `m${n}`)));
    await lea.event(isMessage('m4'));
    expect(seqsIn(lea, channelId)).toEqual(range(2, 4));
    await Promise.all([lea.close(), other.close()]);
  });

  it('delivers typing too, and nothing from before the welcome', async () => {
    const channelId = await popular('max');
    await using max = await hub.connect('max');
    await writer.publish({ event: typingEvent(channelId, oldest), agentTopics: [oldest, 'max'] });
    await max.event(({ event }) => event.type === 'channel.typing');
    const { events } = await send(oldest, 'max', 'm2');
    await writer.publish(...events);
    await max.event(isMessage('m2'));
    expect(seqsIn(max, channelId)).toEqual([2]);
  });

  it('is not delivered to a token limited to other channels, nor after an unsubscribe', async () => {
    const channelId = await popular('nia');
    await using nia = await hub.connect('nia');
    await nia.call('unsubscribe', { channelIds: [channelId] });
    await send(oldest, 'nia', 'm2');
    await send('later-1', 'nia', 'behind it');
    await nia.event(isMessage('behind it'));
    expect(seqsIn(nia, channelId)).toEqual([]);
    const { topics } = await nia.call('subscribe', { topics: [{ channelId, since: 1 }] });
    expect(topics[0]).toMatchObject({ head: 2, resumed: true });
  });

  // The race: Redis is frozen, so each hub finds the other's messages only in the log.
  it('is delivered from hub to hub while Redis is frozen', async () => {
    const frozen = closeAfterAll(await startRedis());
    const environment = {
      REDIS_URL: frozen.url,
      HUB_DB_URL: database.url,
      LOG_LEVEL: 'fatal',
    };
    await using hubA = await startTestHub(environment);
    await using hubB = await startTestHub(environment);
    try {
      const channelId = await popular('ola');
      await using ola = await hubA.connect('ola');
      await using sender = await hubB.connect(oldest);
      frozen.freeze();
      for (const n of range(2, 6)) {
        await sender.call('direct.send', { agentId: 'ola', content: `m${n}` });
      }
      await ola.event(isMessage('m6'));
      expect(seqsIn(ola, channelId)).toEqual(range(2, 6));
    } finally {
      frozen.thaw();
    }
  });
});

describe('a welcome', () => {
  it('names a head that the live events continue, during a stream of direct messages and deletions', async () => {
    await using gus = await hub.connect('gus');
    const { channelId } = await gus.call('direct.send', { agentId: 'hal', content: 'first' });
    let isStopped = false;
    const stream = (async () => {
      while (!isStopped) {
        const { messageId } = await gus.call('direct.send', { agentId: 'hal', content: 'm' });
        await gus.call('message.delete', { channelId, messageId });
      }
    })();
    for (let round = 0; round < 15; round++) {
      await using hal = await hub.connect('hal');
      await waitFor(() => hal.events.length > 10, { what: 'live events' });
      const [{ head }] = hal.welcome.direct;
      const seqs = seqsIn(hal, channelId);
      expect(seqs).toEqual(range(head + 1, head + seqs.length));
    }
    isStopped = true;
    await stream;
  });
});
