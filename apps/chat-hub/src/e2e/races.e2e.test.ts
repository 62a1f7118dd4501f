import { describe, expect, it } from '@jest/globals';
import { limits } from '@openclaw/protocol';
import { waitFor, type RpcSocket } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { openLogWriter } from '../testing/log-writer.ts';
import { range, seqsOf } from '../testing/seqs.ts';
import { noRedis, startTestHub, temporaryDatabase } from '../testing/test-hub.ts';

// Without Redis, each hub learns of the other's commits by its tail check.
const database = closeAfterAll(await temporaryDatabase());
const writer = closeAfterAll(await openLogWriter(database));
const environment = {
  HUB_DB_URL: database.url,
  ...noRedis,
  HUB_LIMIT_MESSAGE: '1000000/60',
};
const hub = closeAfterAll(await startTestHub(environment));
const otherHub = closeAfterAll(await startTestHub(environment));
const ana = closeAfterAll(await hub.connect('ana'));

async function channelWith(channelId: string, messages: number, contentBytes = 10): Promise<void> {
  await ana.call('channel.create', { channelId, name: channelId });
  const params = { channelId, content: 'x'.repeat(contentBytes) };
  await Promise.all(range(1, messages).map(() => writer.append('ana', 'message.send', params)));
}

function stream(step: () => Promise<unknown>): { stop(): Promise<void> } {
  let isStopped = false;
  const running = (async () => {
    while (!isStopped) await step();
  })();
  return {
    async stop() {
      isStopped = true;
      await running;
    },
  };
}

const live = (socket: RpcSocket, channelId: string) =>
  seqsOf(socket.events.filter((envelope) => envelope.channelId === channelId));

describe('a subscribe with since', () => {
  // The race: the hub collects the missed events while deletions remove them from its memory of the channel.
  it('is always resumed without a gap during a stream of deletions', async () => {
    const channelId = 'deletions';
    await channelWith(channelId, 1_500);
    const deletions = stream(async () => {
      const { messageId } = await ana.call('message.send', { channelId, content: 'm' });
      await ana.call('message.delete', { channelId, messageId });
    });
    for (let round = 0; round < 12; round++) {
      await using socket = await hub.connect('ana');
      const { topics } = await socket.call('subscribe', { topics: [{ channelId, since: 0 }] });
      expect(topics[0]).toMatchObject({ channelId, resumed: true });
      await waitFor(() => live(socket, channelId).length > 4, { what: 'live events' });
      const seqs = [...seqsOf(topics[0].events), ...live(socket, channelId)];
      expect(seqs).toEqual(range(1, seqs.length));
    }
    await deletions.stop();
  });

  // The race: the store has events that the hub has not delivered yet.
  it('on a hub behind the store contains nothing beyond its own head, and nothing comes twice', async () => {
    const channelId = 'behind';
    await channelWith(channelId, 1_200);
    const sends = stream(() =>
      Promise.all(range(1, 3).map(() => ana.call('message.send', { channelId, content: 's' }))),
    );
    for (let round = 0; round < 5; round++) {
      await using socket = await otherHub.connect('ana');
      const since = round % 2 === 0 ? 0 : 1_150;
      const { topics } = await socket.call('subscribe', { topics: [{ channelId, since }] });
      const [{ head, events, resumed }] = topics;
      expect(resumed).toBe(true);
      expect(events.at(-1).seq).toBe(head);
      await waitFor(() => live(socket, channelId).length > 10, { what: 'live events' });
      const seqs = [...seqsOf(events), ...live(socket, channelId)];
      expect(seqs).toEqual(range(since + 1, since + seqs.length));
    }
    await sends.stop();
  });

  // The race: the missed events are too large for one result, so the newest of them come live.
  it('gets the newest events live after the result, if they do not fit into it', async () => {
    const channelId = 'heavy';
    const contentBytes = 30_000;
    const messages = Math.ceil((1.02 * limits.resumeBytes) / contentBytes);
    await channelWith(channelId, messages, contentBytes);
    await ana.call('subscribe', { topics: [{ channelId }] });
    const sends = range(1, 30).map(() =>
      ana.call('message.send', { channelId, content: 'y'.repeat(contentBytes) }),
    );
    const last = Math.max(...(await Promise.all(sends)).map(({ seq }) => seq as number));
    await using socket = await hub.connect('ana');
    const since = last - messages;
    const result = await socket.call('subscribe', { topics: [{ channelId, since }] });
    const [{ head, events, resumed }] = result.topics;
    expect(resumed).toBe(true);
    expect(head).toBeLessThan(last);
    await socket.event(({ seq }) => seq === last);
    expect([...seqsOf(events), ...live(socket, channelId)]).toEqual(range(since + 1, last));
    const order = socket.received.filter(
      (object) => object.result === result || object.params?.channelId === channelId,
    );
    expect(order[0]?.result).toBe(result);
  });
});

describe('a second subscribe', () => {
  // The race: the topic is subscribed again while its events still wait to be framed.
  it('on a live topic is followed by no event up to its head', async () => {
    const channelId = 'again';
    await channelWith(channelId, 10);
    await using socket = await hub.connect('ana');
    await socket.call('subscribe', { topics: [{ channelId }] });
    const sends = stream(() =>
      Promise.all(range(1, 4).map(() => ana.call('message.send', { channelId, content: 's' }))),
    );
    for (let round = 0; round < 60; round++) {
      const result = await socket.call('subscribe', { topics: [{ channelId, since: 0 }] });
      const [{ head, events }] = result.topics;
      expect(seqsOf(events)).toEqual(range(1, head));
      await socket.event((envelope) => envelope.seq > head);
      const at = socket.received.findIndex((object) => object.result === result);
      const later = socket.received.slice(at).filter(({ method }) => method === 'event');
      const seqs = seqsOf(later.map(({ params }) => params));
      expect(seqs).toEqual(range(head + 1, head + seqs.length));
    }
    await sends.stop();
  });
});
