import { describe, expect, it } from '@jest/globals';
import { limits } from '@openclaw/protocol';
import { startRedis, waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { openLogWriter } from '../testing/log-writer.ts';
import { range } from '../testing/seqs.ts';
import { startTestHub, temporaryDatabase } from '../testing/test-hub.ts';

const redis = closeAfterAll(await startRedis());
const database = closeAfterAll(await temporaryDatabase());
const writer = closeAfterAll(await openLogWriter(database));
const hub = closeAfterAll(await startTestHub({ REDIS_URL: redis.url, HUB_DB_URL: database.url }));
await waitFor(() => hub.redis.available, { what: 'Redis for the hub' });
await Promise.all(
  range(0, limits.topics).map((n) =>
    writer.append('ana', 'channel.create', { channelId: `k${n}`, name: 'K' }),
  ),
);

const topics = range(0, limits.topics - 1).map((n) => ({ channelId: `k${n}` }));
type Topic = { readonly channelId: string; readonly error?: { readonly code: string } };
const refused = (results: readonly Topic[]) => results.filter(({ error }) => error !== undefined);

describe('the maximum of topics of a connection', () => {
  // The race: several clients open many rooms at once. Invariant: within the limit every topic is subscribed, even if
  // another topic of the call is bad.
  it('is subscribed in one call by several clients at once, except for a bad topic among them', async () => {
    const sockets = await Promise.all(range(1, 4).map(() => hub.connect('ana')));
    const results = await Promise.all(
      sockets.map(async (socket, index) => {
        const asked = index % 2 === 0 ? topics : topics.with(500, { channelId: 'nowhere' });
        const result = await socket.call('subscribe', { topics: asked });
        return result.topics as Topic[];
      }),
    );
    const bad = { channelId: 'nowhere', error: { code: 'not_found' } };
    expect(results.map(refused)).toEqual([[], [bad], [], [bad]]);
    for (const result of results) expect(result).toHaveLength(limits.topics);
    const { seq } = await writer
      .append('ana', 'message.send', {
        channelId: 'k999',
        content: 'heard',
      })
      .then(({ result }) => result);
    for (const socket of sockets) await socket.event((envelope) => envelope.seq === seq);
    await Promise.all(sockets.map((socket) => socket.close()));
  });

  it('does not include direct channels, which need no subscription', async () => {
    const ana = await hub.connect('ana');
    for (const agentId of ['ben', 'cem', 'dan'])
      await ana.call('direct.send', { agentId, content: 'hi' });
    const again = await hub.connect('ana');
    expect(again.welcome.direct).toHaveLength(3);
    const direct = again.welcome.direct[0].channelId as string;
    for (const socket of [ana, again]) {
      const all = await socket.call('subscribe', { topics });
      expect(refused(all.topics)).toEqual([]);
      const oneMore = { channelId: `k${limits.topics}` };
      const more = await socket.call('subscribe', { topics: [oneMore] });
      expect(more.topics).toEqual([{ ...oneMore, error: { code: 'too_large' } }]);
      // Only `k0` frees a topic, because the direct channel used none.
      await socket.call('unsubscribe', { channelIds: ['k0', direct] });
      expect(refused((await socket.call('subscribe', { topics: [oneMore] })).topics)).toEqual([]);
      const full = await socket.call('subscribe', { topics: [{ channelId: 'k0' }] });
      expect(full.topics).toEqual([{ channelId: 'k0', error: { code: 'too_large' } }]);
      await socket.close();
    }
  });
});

describe('hasMore of the newest page', () => {
  it('is exact with one page of messages, one fewer and one more', async () => {
    await using ana = await hub.connect('ana');
    for (const [count, hasMore] of [
      [49, false],
      [50, false],
      [51, true],
    ] as const) {
      const channelId = `of-${count}`;
      await ana.call('channel.create', { channelId, name: channelId });
      for (const n of range(1, count))
        await writer.append('ana', 'message.send', { channelId, content: `m${n}` });
      for (const source of ['store', 'cache', 'cache again']) {
        const page = await ana.call('message.history', { channelId });
        expect([source, page.messages.length, page.hasMore]).toEqual([
          source,
          Math.min(count, limits.defaultPage),
          hasMore,
        ]);
      }
      const part = await ana.call('message.history', { channelId, limit: count - 1 });
      expect(part).toMatchObject({ hasMore: true });
    }
  });
});
