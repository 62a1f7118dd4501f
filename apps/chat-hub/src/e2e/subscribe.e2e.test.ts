import { describe, expect, it } from '@jest/globals';
import { limits } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { noRedis, startTestHub, temporaryDatabase } from '../testing/test-hub.ts';

const database = closeAfterAll(await temporaryDatabase());
const environment = {
  HUB_DB_URL: database.url,
  ...noRedis,
  HUB_LIMIT_MESSAGE: '1000000/60',
};
const hub = closeAfterAll(await startTestHub(environment));

const seqsOf = (events: readonly { seq: number }[]) => events.map(({ seq }) => seq);
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

async function channelWith(channelId: string, messages: number) {
  const ana = await hub.connect('ana');
  await ana.call('channel.create', { channelId, name: channelId });
  for (let sent = 0; sent < messages; sent += 100) {
    const part = Math.min(100, messages - sent);
    await Promise.all(
      Array.from({ length: part }, (_, i) =>
        ana.call('message.send', { channelId, content: `m${sent + i}` }),
      ),
    );
  }
  return ana;
}

describe('subscribe', () => {
  it('resumes after the last seq, in order, and continues live from head+1', async () => {
    await using ana = await channelWith('resume', 20);
    const result = await ana.call('subscribe', {
      topics: [{ channelId: 'resume', since: 5 }],
      epoch: ana.welcome.epoch,
    });
    expect(result.topics[0]).toMatchObject({ head: 21, resumed: true, presencePushed: true });
    expect(seqsOf(result.topics[0].events)).toEqual(range(6, 21));
    await ana.call('message.send', { channelId: 'resume', content: 'live' });
    expect(await ana.event(({ seq }) => seq !== null)).toMatchObject({ seq: 22 });
  });

  it('is live from head+1 with no events when it has no since', async () => {
    await using ana = await channelWith('fresh', 3);
    const { topics } = await ana.call('subscribe', { topics: [{ channelId: 'fresh' }] });
    expect(topics[0]).toMatchObject({ head: 4, resumed: false, events: [] });
  });

  it('does not resume from another epoch, nor from beyond the head', async () => {
    await using ana = await channelWith('epoch', 3);
    const other = await ana.call('subscribe', {
      topics: [{ channelId: 'epoch', since: 1 }],
      epoch: 'another-life',
    });
    expect(other.topics[0]).toMatchObject({ resumed: false, events: [], head: 4 });
    const beyond = await ana.call('subscribe', { topics: [{ channelId: 'epoch', since: 99 }] });
    expect(beyond.topics[0]).toMatchObject({ resumed: false, events: [], head: 4 });
  });

  it('does not resume over more events than a result may contain; log.read pages them', async () => {
    const count = limits.resumeEvents + 10;
    await using ana = await channelWith('long', count);
    const { topics } = await ana.call('subscribe', { topics: [{ channelId: 'long', since: 0 }] });
    expect(topics[0]).toMatchObject({ resumed: false, events: [], head: count + 1 });
    const seqs: number[] = [];
    for (let hasMore = true; hasMore;) {
      const page = await ana.call('log.read', { channelId: 'long', after: seqs.at(-1) ?? 0 });
      seqs.push(...seqsOf(page.events));
      hasMore = page.hasMore;
    }
    expect(seqs).toEqual(range(1, count + 1));
  });

  it('answers a repeated subscribe and delivers nothing twice', async () => {
    await using ana = await channelWith('again', 2);
    await ana.call('subscribe', { topics: [{ channelId: 'again' }] });
    const second = await ana.call('subscribe', { topics: [{ channelId: 'again', since: 1 }] });
    expect(seqsOf(second.topics[0].events)).toEqual([2, 3]);
    await ana.call('message.send', { channelId: 'again', content: 'once' });
    await ana.call('message.send', { channelId: 'again', content: 'last' });
    await ana.event(({ event }) => event.message?.content === 'last');
    expect(seqsOf(ana.events.filter(({ seq }) => seq !== null))).toEqual([4, 5]);
  });

  it('one bad topic does not fail the others', async () => {
    await using ana = await channelWith('good', 1);
    await using ben = await hub.connect('ben');
    await ana.call('channel.create', { channelId: 'secret', name: 'Secret', kind: 'private' });
    await ben.call('channel.join', { channelId: 'good' });
    await ana.call('channel.create', { channelId: 'not-joined', name: 'Public' });
    const { topics } = await ben.call('subscribe', {
      topics: [
        { channelId: 'nowhere' },
        { channelId: 'good' },
        { channelId: 'secret' },
        { channelId: 'not-joined' },
      ],
    });
    expect(topics).toMatchObject([
      { channelId: 'nowhere', error: { code: 'not_found' } },
      { channelId: 'good', head: 3 },
      { channelId: 'secret', error: { code: 'not_found' } },
      { channelId: 'not-joined', error: { code: 'forbidden' } },
    ]);
  });

  it('leaves no gap and no overlap between result and live events during a stream of sends', async () => {
    await using ana = await channelWith('stream', 1_500);
    let isStopped = false;
    const stream = (async () => {
      while (!isStopped) {
        await Promise.all(
          Array.from({ length: 5 }, () =>
            ana.call('message.send', { channelId: 'stream', content: 's' }),
          ),
        );
      }
    })();
    for (let round = 0; round < 10; round++) {
      await using agent = await hub.connect(`reader-${round}`);
      await agent.call('channel.join', { channelId: 'stream' });
      const since = round % 2 === 0 ? 0 : 1_400;
      const { topics } = await agent.call('subscribe', {
        topics: [{ channelId: 'stream', since }],
      });
      const [{ events, head, resumed }] = topics;
      expect(resumed).toBe(true);
      await waitFor(() => agent.events.filter(({ seq }) => seq !== null).length > 20, {
        what: 'live events',
      });
      const live = seqsOf(agent.events.filter(({ seq }) => seq !== null));
      expect([...seqsOf(events), ...live]).toEqual(
        range(since + 1, since + events.length + live.length),
      );
      expect(live[0]).toBe(head + 1);
    }
    isStopped = true;
    await stream;
  });

  it('delivers nothing more of an unsubscribed channel', async () => {
    await using ana = await channelWith('quiet', 1);
    await ana.call('channel.create', { channelId: 'marker', name: 'Marker' });
    await ana.call('subscribe', { topics: [{ channelId: 'quiet' }, { channelId: 'marker' }] });
    await ana.call('unsubscribe', { channelIds: ['quiet'] });
    await ana.call('message.send', { channelId: 'quiet', content: 'unheard' });
    await ana.call('message.send', { channelId: 'marker', content: 'heard' });
    await ana.event(({ event }) => event.message?.content === 'heard');
    expect(ana.events.some(({ channelId, seq }) => channelId === 'quiet' && seq !== null)).toBe(
      false,
    );
  });

  it('delivers events of another hub on the same database without Redis, through the log', async () => {
    await using second = await startTestHub(environment);
    await using ana = await channelWith('no-redis', 1);
    await using ben = await second.connect('ben');
    await ben.call('channel.join', { channelId: 'no-redis' });
    await ben.call('subscribe', { topics: [{ channelId: 'no-redis' }] });
    for (let i = 0; i < 5; i++)
      await ana.call('message.send', { channelId: 'no-redis', content: `m${i}` });
    await ben.event(({ event }) => event.message?.content === 'm4');
    const seqs = seqsOf(ben.events.filter(({ seq }) => seq !== null));
    expect(seqs).toEqual(range(seqs[0] ?? 0, (seqs[0] ?? 0) + seqs.length - 1));
  });

  // The race: a socket stops reading while its channel has new events, and its buffer fills. Invariants: the hub uses a
  // bounded amount of memory for this socket, and does not delay other sockets. When the socket reads again, it gets
  // every event once and in order.
  it('stops live delivery to a socket that does not read, which catches up from the log when it reads again', async () => {
    await using ana = await channelWith('slow', 1);
    await using slow = await hub.connect('slow-reader');
    await slow.call('channel.join', { channelId: 'slow' });
    await slow.call('subscribe', { topics: [{ channelId: 'slow' }] });
    slow.ws.pause();
    const content = 'x'.repeat(16_000);
    for (let i = 0; i < 20; i++) {
      await Promise.all(
        Array.from({ length: 40 }, () => ana.call('message.send', { channelId: 'slow', content })),
      );
    }
    const last = await ana.call('message.send', { channelId: 'slow', content: 'last' });
    slow.ws.resume();
    await slow.event(({ seq }) => seq === last.seq, 20_000);
    const seqs = seqsOf(slow.events.filter(({ seq }) => seq !== null));
    expect(seqs).toEqual(range(4, last.seq));
    const metrics = await (await fetch(`${hub.url}/metrics`)).text();
    expect(metrics).toMatch(/hub_lagging_sockets_total [1-9]/);
  });
});
