import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { limits } from '@openclaw/protocol';
import type { RpcSocket } from '@openclaw/test-support';
import { range, seqsOf } from '../testing/seqs.ts';
import { startTestHub, type TestHub } from '../testing/test-hub.ts';

const channelId = 'escaped';
const count = 200;
/** The longest content that a message may have. Each byte of it takes six bytes as JSON. */
const content = '\u0001'.repeat(limits.contentBytes);

interface Page {
  readonly rows: readonly { readonly seq: number }[];
  readonly hasMore: boolean;
}

export function describePages(
  engine: string,
  startDatabase: () => Promise<{ readonly url: string; stop(): Promise<void> }>,
): void {
  describe(`pages of ${count} escaped messages, on ${engine}`, () => {
    let database: Awaited<ReturnType<typeof startDatabase>>;
    let hub: TestHub;
    let ana: RpcSocket;
    const sizes: number[] = [];

    beforeAll(async () => {
      database = await startDatabase();
      hub = await startTestHub({ HUB_DB_URL: database.url, HUB_LIMIT_MESSAGE: '1000000/60' });
      ana = await hub.connect('ana');
      await ana.call('channel.create', { channelId, name: channelId });
      for (let n = 0; n < count; n++) await ana.call('message.send', { channelId, content });
      ana.ws.on('message', (data: Buffer) => sizes.push(data.byteLength));
    }, 120_000);
    afterAll(async () => {
      await ana?.close();
      await hub?.close();
      await database?.stop();
    });

    type Ask = (method: 'log.read' | 'message.history', params: object) => Promise<Page>;
    const pageOf = (answer: {
      events?: Page['rows'];
      messages?: Page['rows'];
      hasMore: boolean;
    }): Page => ({ rows: answer.events ?? answer.messages ?? [], hasMore: answer.hasMore });
    const overSocket: Ask = async (method, params) =>
      pageOf(await ana.call(method, { channelId, ...params }));
    const overRest: Ask = async (method, params) => {
      const resource = method === 'log.read' ? 'log' : 'messages';
      const query = new URLSearchParams({ agent: 'ana' });
      for (const [name, value] of Object.entries(params)) query.set(name, String(value));
      const response = await fetch(
        `${hub.url}/v1/channels/${channelId}/${resource}?${query.toString()}`,
      );
      const body = await response.text();
      if (!response.ok) throw new Error(`${resource}: ${response.status} ${body}`);
      sizes.push(Buffer.byteLength(body));
      return pageOf(JSON.parse(body));
    };

    /** A page of several megabytes may take a busy machine longer than a read may last. */
    async function askAgain<T>(read: () => Promise<T>, attempts = 5): Promise<T> {
      try {
        return await read();
      } catch (error) {
        if (attempts === 1 || !String(error).includes('unavailable')) throw error;
        return askAgain(read, attempts - 1);
      }
    }

    async function readAll(
      ask: Ask,
      method: 'log.read' | 'message.history',
      way: 'forward' | 'backward',
    ): Promise<number[][]> {
      const pages: number[][] = [];
      const limit = method === 'log.read' ? limits.logPage : limits.historyPage;
      let edge: object = way === 'forward' ? { after: 0 } : {};
      for (let hasMore = true; hasMore;) {
        const from = edge;
        const page = await askAgain(() => ask(method, { ...from, limit }));
        const seqs = seqsOf(page.rows);
        pages.push(seqs);
        edge = way === 'forward' ? { after: seqs.at(-1) } : { before: seqs[0] };
        hasMore = page.hasMore;
      }
      return way === 'forward' ? pages : pages.reverse();
    }

    // Invariant: every answer has a bounded size, and paging by hasMore neither misses nor repeats anything.
    it.each([
      ['log.read', 'forward', 'the socket', overSocket, 1],
      ['message.history', 'forward', 'the socket', overSocket, 2],
      ['message.history', 'backward', 'the socket', overSocket, 2],
      ['log.read', 'forward', 'REST', overRest, 1],
      ['message.history', 'forward', 'REST', overRest, 2],
      ['message.history', 'backward', 'REST', overRest, 2],
    ] as const)(
      '%s reads every row once, %s over %s, in answers of at most resumeBytes',
      async (method, way, _transport, ask, first) => {
        sizes.length = 0;
        const pages = await readAll(ask, method, way);
        expect(pages.flat()).toEqual(range(first, count + 1));
        expect(Math.max(...sizes)).toBeLessThanOrEqual(limits.resumeBytes);
        expect(pages.length).toBe(5);
      },
    );

    it('the newest page is bounded too, cached or not', async () => {
      sizes.length = 0;
      for (const limit of [1, 2, 50]) {
        for (const ask of [overSocket, overRest, overSocket]) {
          const { rows, hasMore } = await askAgain(() => ask('message.history', { limit }));
          const seqs = seqsOf(rows);
          expect(hasMore).toBe(true);
          expect(seqs.length).toBe(limit === 50 ? 42 : limit);
          expect(seqs).toEqual(range(count + 2 - seqs.length, count + 1));
        }
      }
      expect(Math.max(...sizes)).toBeLessThanOrEqual(limits.resumeBytes);
    });
  });
}
