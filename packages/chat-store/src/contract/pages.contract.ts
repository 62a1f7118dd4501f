import { describe, expect, it } from '@jest/globals';
import {
  limits,
  methods,
  type ParamsInputOf,
  type ParamsOf,
  type ResultOf,
} from '@openclaw/protocol';
import type { ChatStore, ReadMethod } from '../index.ts';
import { channelWithTwo, type TestDatabase } from './world.contract.ts';

async function readParsed<M extends ReadMethod>(
  store: ChatStore,
  agentId: string,
  method: M,
  params: ParamsInputOf<M>,
  maxBytes?: number,
): Promise<{ result: ResultOf<M>; bytes: number }> {
  const parsed = methods[method].params.parse(params) as ParamsOf<M>;
  const read = await store.readJson({ agentId, isAdmin: false }, method, parsed, maxBytes);
  if (!read.ok) throw new Error(`${method} was refused: ${read.code}`);
  const json = Buffer.concat(read.json);
  return { result: JSON.parse(json.toString()) as ResultOf<M>, bytes: json.byteLength };
}

/** Texts that look like the JSON around a stored message. */
const deceptive = [
  'plain',
  '"},"timestamp":1,"senderId":"x"',
  ',"reactions":{},"deletedAt":1}}',
  '\\",\\"reactions\\":{\\"x\\":[]}',
  ',"message":{"id":"x"',
  '\u0001\u2028"\\ 語 😀',
];

export function describePages(database: () => TestDatabase): void {
  describe('a page as text', () => {
    it('contains each message in its current state, whatever its author wrote', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store);
      const metadata = { reactions: {}, message: { reactions: {} }, timestamp: '},"timestamp":' };
      const said = [];
      for (const content of deceptive) {
        said.push(await owner.say(channelId, content, { metadata, mentions: [member.agentId] }));
      }
      const ids = said.map(({ messageId }) => messageId);
      for (const messageId of ids) {
        for (const emoji of ['👍', 'reactions']) {
          await member.write('reaction.add', { channelId, messageId, emoji });
        }
      }
      // An edit is stored with the reactions of that moment, which later change.
      for (const [index, messageId] of ids.entries()) {
        const content = `${deceptive[index]} edited`;
        if (index % 2 === 0) await owner.write('message.edit', { channelId, messageId, content });
        await member.write('reaction.remove', { channelId, messageId, emoji: '👍' });
      }
      const [gone] = ids;
      await owner.write('message.delete', { channelId, messageId: gone ?? '' });
      const { result } = await readParsed(store, owner.agentId, 'message.history', { channelId });
      expect(result.messages).toMatchObject(
        said.map(({ messageId, seq, timestamp }, index) => ({
          id: messageId,
          channelId,
          seq,
          senderId: owner.agentId,
          timestamp,
          threadId: null,
          ...(index === 0
            ? { content: '', mentions: [], metadata: null, reactions: {} }
            : {
                content: `${deceptive[index]}${index % 2 === 0 ? ' edited' : ''}`,
                mentions: [member.agentId],
                metadata,
                deletedAt: null,
                reactions: { reactions: [member.agentId] },
              }),
        })),
      );
      expect(result.messages[0]?.deletedAt).toBeGreaterThan(0);
      expect(await owner.history(channelId)).toEqual(result);
    });

    it('equals the result as an object, for every method that reads', async () => {
      const { store } = database();
      const { channelId, owner } = await channelWithTwo(store);
      const root = await owner.say(channelId, 'root');
      await owner.say(channelId, 'reply', { threadId: root.messageId });
      const reads: { [M in ReadMethod]: ParamsInputOf<M> } = {
        'channel.get': { channelId },
        'channel.list': { member: true },
        'member.list': { channelId, limit: 1 },
        'log.read': { channelId, after: 1, limit: 2 },
        'message.get': { channelId, messageId: root.messageId },
        'message.history': { channelId, threadId: root.messageId },
        'message.search': { query: 'absent' },
        'thread.list': { channelId },
        'ask.list': { role: 'from' },
        'question.list': { channelId },
        'budget.get': { channelId },
        'freeze.list': {},
        'ledger.sum': { by: 'channel' },
        'read.state': {},
        'inbox.read': {},
        'agent.list': {},
      };
      for (const [method, params] of Object.entries(reads) as [ReadMethod, object][]) {
        const { result } = await readParsed(store, owner.agentId, method, params as never);
        expect(result).toEqual(await owner.read(method, params));
      }
    });

    // A page holds at least one row. If not all rows fit, the page omits the rows farthest from its start.
    it.each([1, 2500, 5000, 100_000])(
      'of %d bytes ends at that size, and can be continued',
      async (max) => {
        const { store } = database();
        const { channelId, owner } = await channelWithTwo(store);
        for (let n = 0; n < 9; n++) await owner.say(channelId, '語'.repeat(1 + 500 * (n % 3)));
        const seqs = [3, 4, 5, 6, 7, 8, 9, 10, 11];
        async function read<M extends ReadMethod>(method: M, params: ParamsInputOf<M>) {
          const { result, bytes } = await readParsed(store, owner.agentId, method, params, max);
          // A row longer than `max` is alone in its page. The longest row has about 3,600 bytes.
          expect(bytes).toBeLessThan(Math.max(max, 3700) + 100);
          return result;
        }
        async function walk<E, R>(first: E, page: (edge: E) => Promise<[R[], E | null]>) {
          const pages: R[][] = [];
          for (let edge: E | null = first; edge !== null;) {
            const [rows, next]: [R[], E | null] = await page(edge);
            expect(rows.length).toBeGreaterThan(0);
            pages.push(rows);
            edge = next;
          }
          return pages;
        }
        const forward = await walk({ after: 0 }, async (edge) => {
          const { messages, hasMore } = await read('message.history', { channelId, ...edge });
          return [
            messages.map(({ seq }) => seq),
            hasMore ? { after: messages.at(-1)?.seq ?? 0 } : null,
          ];
        });
        expect(forward.flat()).toEqual(seqs);
        const backward = await walk<{ before?: number }, number>({}, async (edge) => {
          const { messages, hasMore } = await read('message.history', { channelId, ...edge });
          return [
            messages.map(({ seq }) => seq),
            hasMore ? { before: messages[0]?.seq ?? 0 } : null,
          ];
        });
        expect(backward.reverse().flat()).toEqual(seqs);
        const log = await walk({ after: 0 }, async (edge) => {
          const { events, hasMore } = await read('log.read', { channelId, ...edge });
          return [
            events.map(({ seq }) => seq),
            hasMore ? { after: events.at(-1)?.seq ?? 0 } : null,
          ];
        });
        expect(log.flat()).toEqual([1, 2, ...seqs]);
        const members = await walk<{ cursor: string | null }, string>(
          { cursor: null },
          async (edge) => {
            const { members, nextCursor } = await read('member.list', { channelId, ...edge });
            return [
              members.map(({ agentId }) => agentId),
              nextCursor === null ? null : { cursor: nextCursor },
            ];
          },
        );
        expect(members.flat()).toHaveLength(2);
        // Negative control: with a small `max` there are several pages, and with a large one a single page.
        expect([forward, backward, log, members].map(({ length }) => length > 1)).toEqual(
          Array.from({ length: 4 }, (_, index) => max < (index === 3 ? 100 : 100_000)),
        );
      },
    );

    it('of the largest possible channels stays within the size of an answer', async () => {
      const { store } = database();
      const { owner } = await channelWithTwo(store);
      const metadata = { text: 'x'.repeat(limits.metadataBytes - 12) };
      const topic = '\u0001'.repeat(limits.topicChars);
      for (let n = 0; n < 200; n++) {
        await owner.write('channel.create', { name: `${n}`, topic, metadata });
      }
      const params = { member: true, limit: limits.historyPage };
      const page = await readParsed(store, owner.agentId, 'channel.list', params);
      expect(page.bytes).toBeLessThanOrEqual(limits.resumeBytes);
      expect(page.result.channels).toHaveLength(200);
    });
  });
}
