import { describe, expect, it } from '@jest/globals';
import type { ResultOf } from '@openclaw/protocol';
import { connectRpc, startHubPair, startRedis, waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';

type Page = ResultOf<'inbox.read'>;

const textsOf = ({ items }: Page) => items.map(({ message }) => message?.content ?? '');

/** The hubs use a SQLite file unless `env` says otherwise. */
export async function describeInboxes(
  engine: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const redis = closeAfterAll(await startRedis());
  const pair = closeAfterAll(await startHubPair({ REDIS_URL: redis.url, ...env }));
  const [hubA, hubB] = pair.hubs;
  type Hub = typeof hubA;
  const connect = (hub: Hub, agentId: string) => connectRpc(`${hub.url}/v1/ws?agent=${agentId}`);
  async function channelOf(agentId: string, ...channelIds: readonly string[]) {
    const ana = await connect(hubB, 'ana');
    for (const channelId of channelIds) {
      await ana.call('channel.create', { channelId, name: channelId });
      await ana.call('member.add', { channelId, agentId });
    }
    return ana;
  }

  describe(`an agent that addresses another one, on ${engine}`, () => {
    // The reported failure: a message that should wake an agent is lost while the agent, or its
    // hub, is down.
    it('reaches it by notices only while it is connected, and by its inbox in any case', async () => {
      const ana = await channelOf('ben', 'away');
      const before = await connect(hubA, 'ben');
      const call = (content: string) =>
        ana.call('message.send', { channelId: 'away', content, mentions: ['ben'] });
      await call('while connected');
      await waitFor(() => before.received.some(({ method }) => method === 'notice'));
      const read: Page = await before.call('inbox.read', {});
      expect(textsOf(read)).toEqual(['while connected']);
      await before.call('inbox.ack', { cursor: read.cursor });
      await hubA.kill();
      await before.closed;
      await call('while away');
      await ana.call('direct.send', { agentId: 'ben', content: 'direct, while away' });
      await hubA.restart();
      const after = await connect(hubA, 'ben');
      const page: Page = await after.call('inbox.read', { waitMs: 10_000 });
      expect(textsOf(page)).toEqual(['while away', 'direct, while away']);
      // Negative control: without the inbox the agent would learn of neither message.
      expect(after.received.filter(({ method }) => method === 'notice')).toEqual([]);
      await Promise.all([ana.close(), after.close()]);
    });

    it('loses nothing, and nothing acknowledged comes again, when a hub is killed', async () => {
      const channelIds = ['one', 'two', 'three'];
      const ana = await channelOf('eve', ...channelIds);
      const each = 20;
      const sent = channelIds.flatMap((id) => Array.from({ length: each }, (_, n) => `${id} ${n}`));
      const acknowledged = new Set<string>();
      const again: string[] = [];

      async function follow(hub: Hub): Promise<void> {
        const socket = await connect(hub, 'eve');
        try {
          while (acknowledged.size < sent.length) {
            const page: Page = await socket.call('inbox.read', { limit: 3, waitMs: 5_000 });
            const texts = textsOf(page);
            again.push(...texts.filter((text) => acknowledged.has(text)));
            await socket.call('inbox.ack', { cursor: page.cursor });
            for (const text of texts) acknowledged.add(text);
          }
        } finally {
          await socket.close();
        }
      }
      /**
       * Sends half of the messages through the hub that is killed. An unanswered message is sent again through the
       * other hub.
       */
      async function send(channelId: string): Promise<void> {
        const atA = await connect(hubA, 'ana');
        for (const content of sent.filter((text) => text.startsWith(`${channelId} `))) {
          const params = { channelId, content, clientMessageId: content, mentions: ['eve'] };
          const first = acknowledged.size % 2 === 0 ? atA : ana;
          await first.call('message.send', params).catch(() => ana.call('message.send', params));
        }
        await atA.close();
      }

      const sending = Promise.all(channelIds.map(send));
      const cut = follow(hubA).catch((error: Error) => error.message);
      await waitFor(() => acknowledged.size >= 9, { what: 'the first acknowledgements' });
      await hubA.kill();
      expect(await cut).toMatch(/clos|answer/);
      await follow(hubB);
      await sending;
      expect([...acknowledged].sort()).toEqual([...sent].sort());
      expect(again).toEqual([]);
      expect(await ana.call('inbox.read', {})).toMatchObject({ items: [] });
      await using last = await connect(hubB, 'eve');
      expect(await last.call('inbox.read', {})).toMatchObject({ items: [], omitted: { count: 0 } });
      await ana.close();
    });
  });
}
