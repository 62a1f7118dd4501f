import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, waitFor, type RedisServer, type RpcSocket } from '@openclaw/test-support';
import { range } from '../testing/seqs.ts';
import { startTestHub, type TestHub } from '../testing/test-hub.ts';

const rounds = 60;
const readers = 4;

interface Answer {
  readonly head?: number;
  readonly channel?: { readonly head: number };
  readonly events?: readonly { readonly seq: number }[];
  readonly messages?: readonly { readonly seq: number }[];
}
interface Ways {
  readonly call: (method: string, params: object) => Promise<Answer>;
  readonly get: (path: string) => Promise<Answer>;
}

function newestOf(answer: Answer): number {
  const seqs = [...(answer.events ?? []), ...(answer.messages ?? [])].map(({ seq }) => seq);
  return Math.max(0, answer.head ?? 0, answer.channel?.head ?? 0, ...seqs);
}

export function describeReadsAfterRemoval(
  engine: string,
  startDatabase: () => Promise<{ readonly url: string; stop(): Promise<void> }>,
): void {
  describe(`reads that race with the reader's removal, on ${engine}`, () => {
    let redis: RedisServer;
    let database: Awaited<ReturnType<typeof startDatabase>>;
    let hub: TestHub;
    let ana: RpcSocket;

    beforeAll(async () => {
      redis = await startRedis();
      database = await startDatabase();
      const limits = { HUB_LIMIT_MESSAGE: '1000000/60' };
      hub = await startTestHub({ REDIS_URL: redis.url, HUB_DB_URL: database.url, ...limits });
      await waitFor(() => hub.redis.available, { what: 'Redis' });
      ana = await hub.connect('ana');
    }, 60_000);
    afterAll(async () => {
      await ana?.close();
      await hub?.close();
      await database?.stop();
      await redis?.stop();
    });

    /**
     * Reads before, during and after one removal. Counts the answered reads, and those that contain events after the
     * leave.
     */
    async function race(
      channelId: string,
      agentId: string,
      read: (reader: number) => Promise<Answer>,
    ): Promise<{ beyond: number; answered: number }> {
      await ana.call('channel.create', { channelId, name: channelId, kind: 'private' });
      await ana.call('member.add', { channelId, agentId });
      // Fills the cache, so that the next reads use it.
      for (const content of ['one', 'two']) {
        await ana.call('message.send', { channelId, content });
        await ana.call('message.history', { channelId });
      }
      let isOver = false;
      const newest: number[] = [];
      const reading = range(0, readers - 1).map(async (reader) => {
        while (!isOver)
          await read(reader).then(
            (answer) => newest.push(newestOf(answer)),
            () => {},
          );
      });
      await ana.call('ping');
      const changes = [ana.call('member.remove', { channelId, agentId })];
      for (const n of range(1, 8)) {
        changes.push(ana.call('message.send', { channelId, content: `secret ${n}` }));
        await ana.call('ping');
      }
      await Promise.all(changes);
      isOver = true;
      await Promise.all(reading);
      const { events } = await ana.call('log.read', { channelId, after: 0 });
      const leave = events.find(
        ({ event }: { event: { type: string } }) => event.type === 'channel.member.leave',
      );
      return {
        beyond: newest.filter((seq) => seq > leave.seq).length,
        answered: newest.length,
      };
    }

    // The race: the hub reads the rights, the reader is removed, events follow, and then the hub reads the rows.
    it.each<[string, (ways: Ways, channelId: string) => Promise<Answer>]>([
      ['log.read', ({ call }, channelId) => call('log.read', { channelId, after: 0 })],
      ['the newest page', ({ call }, channelId) => call('message.history', { channelId })],
      ['another page', ({ call }, channelId) => call('message.history', { channelId, limit: 60 })],
      ['channel.get', ({ call }, channelId) => call('channel.get', { channelId })],
      ['the log over REST', ({ get }, channelId) => get(`/v1/channels/${channelId}/log?after=0`)],
      [
        'the newest page over REST',
        ({ get }, channelId) => get(`/v1/channels/${channelId}/messages`),
      ],
    ])('never show events after it: %s', async (name, read) => {
      const agentId = `reader-of-${name.replaceAll(/\W+/g, '-')}`;
      const sockets = await Promise.all(range(1, readers).map(() => hub.connect(agentId)));
      const waysOf = (reader: number): Ways => ({
        call: (method, params) => (sockets[reader] as RpcSocket).call(method, params),
        async get(path) {
          const { status, body } = await hub.request(agentId, 'GET', path);
          if (status !== 200) throw new Error(`refused with ${status}`);
          return body as Answer;
        },
      });
      const outcome = { beyond: 0, answered: 0 };
      for (const round of range(1, rounds)) {
        const channelId = `${agentId}-${round}`;
        const one = await race(channelId, agentId, (reader) => read(waysOf(reader), channelId));
        outcome.beyond += one.beyond;
        outcome.answered += one.answered;
      }
      await Promise.all(sockets.map((socket) => socket.close()));
      expect(outcome.beyond).toBe(0);
      // Negative control: reads did overlap with removals.
      expect(outcome.answered).toBeGreaterThan(rounds);
    });
  });
}
