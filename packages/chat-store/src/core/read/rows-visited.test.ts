import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { methods, type ParamsInputOf, type ParamsOf } from '@openclaw/protocol';
import { temporaryFolder } from '@openclaw/test-support';
import { Kysely } from 'kysely';
import type { ReadMethod, WriteMethod } from '../../commands.ts';
import { commandOf } from '../../contract/command-of.contract.ts';
import { createNodeSqliteDialect, openDatabase } from '../../sqlite/database.ts';
import { openSqliteEngine } from '../../sqlite/sqlite-engine.ts';
import type { Engine } from '../engine.ts';
import { createStoreCore, type StoreCore } from '../store-core.ts';
import type { Tables } from '../tables.ts';
import { listAsks } from './asks.ts';
import { listChannels } from './channels.ts';
import { readHistory } from './history.ts';
import { answerBytes, parsedOutcome } from './read.ts';
import { listQuestions } from './questions.ts';
import { readState } from './read-state.ts';
import type { Read } from './reading.ts';

// A view hides each table, and calls a function for each row that a plan visits. The count is the same on any machine.
function watchTables(database: ReturnType<typeof openDatabase>, tables: readonly string[]) {
  let visited = 0;
  database.function('visited', { deterministic: false }, () => ((visited += 1), 1));
  database.exec('pragma query_only = off');
  for (const table of tables) {
    database.exec(`create temp view ${table} as select * from main.${table} where visited()`);
  }
  return async (call: () => Promise<unknown>) => {
    visited = 0;
    await call();
    return visited;
  };
}

const noSql = {} as Engine['sql'];

describe('rows that a read visits on SQLite', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let core: StoreCore;
  let db: Kysely<Tables>;
  let rowsOf: ReturnType<typeof watchTables>;
  const ask = <M extends ReadMethod>(
    read: Read<M>,
    method: M,
    agentId: string,
    params: ParamsInputOf<M>,
  ) =>
    read(
      ...([db, { agentId, isAdmin: false }] as const),
      ...([methods[method].params.parse(params) as ParamsOf<M>, answerBytes] as const),
      ...(['sqlite', noSql] as const),
    ).then((outcome) => {
      const answer = parsedOutcome<M>(outcome);
      if (!answer.ok) throw new Error(answer.code);
      return answer.result;
    });
  async function write<M extends WriteMethod>(
    agentId: string,
    method: M,
    ...many: readonly ParamsInputOf<M>[]
  ) {
    const actor = { agentId, isAdmin: false };
    const outcomes = await core.runGroup(many.map((params) => commandOf(actor, method, params)));
    return outcomes.map((outcome) => {
      if (!outcome.ok) throw new Error(outcome.message);
      return outcome.result as { seq: number; messageId: string };
    });
  }

  beforeAll(async () => {
    folder = await temporaryFolder('visited');
    const path = join(folder.path, 'hub.sqlite');
    const engine = await openSqliteEngine({ path, readOnly: false, busyTimeoutMs: 100 });
    core = createStoreCore(engine, (error) => {
      throw error;
    });
    const database = openDatabase(path, 100, true);
    db = new Kysely({ dialect: createNodeSqliteDialect(database, true) });
    const tables = ['messages', 'mentions', 'channels', 'asks', 'ask_addressees', 'questions'];
    rowsOf = watchTables(database, tables);
  });
  afterAll(async () => {
    await db.destroy();
    await core.close();
    await folder.remove();
  });

  const many = <T>(count: number, one: (index: number) => T) =>
    Array.from({ length: count }, (_, i) => one(i));

  // The fault: read.state visited each unread message and each message of the reader, in the only thread that reads.
  it('are as few for read.state with many unread messages as with few', async () => {
    const channelId = 'busy';
    await write('ana', 'channel.create', { channelId, name: 'Busy' });
    await write('ana', 'member.add', { channelId, agentId: 'ben' });
    const say = (agentId: string, count: number) =>
      write(agentId, 'message.send', ...many(count, () => ({ channelId, content: 'x' })));
    const rows = () => rowsOf(() => ask(readState, 'read.state', 'ben', {}));
    const unread = async () => (await ask(readState, 'read.state', 'ben', {})).channels[0]?.unread;
    await say('ana', 3);
    await say('ben', 3);
    const few = await rows();
    expect([few < 10, await unread()]).toEqual([true, 3]);
    await say('ana', 500);
    await say('ben', 500);
    await say('ana', 500);
    expect([await rows(), await unread()]).toEqual([few, 1003]);
  });

  it('are bounded for read.state, for any number of deletions and mentions', async () => {
    const channelId = 'loud';
    await write('ana', 'channel.create', { channelId, name: 'Loud' });
    await write('ana', 'member.add', { channelId, agentId: 'eva' });
    const sent = await write(
      'ana',
      'message.send',
      ...many(1_200, () => ({ channelId, content: '@eva', mentions: ['eva'] })),
    );
    const state = async () => (await ask(readState, 'read.state', 'eva', {})).channels;
    expect(await state()).toMatchObject([{ unread: 1_200, mentions: 1_000 }]);
    expect(await rowsOf(state)).toBeLessThan(1_000 + 10);
    const gone = sent.slice(0, 1_100);
    await write(
      'ana',
      'message.delete',
      ...gone.map(({ messageId }) => ({ channelId, messageId })),
    );
    expect(await state()).toMatchObject([{ unread: 200, mentions: 100 }]);
    expect(await rowsOf(state)).toBeLessThan(1_000 + 100 + 10);
  });

  it('are a page for a list of public channels, in each order and from each place', async () => {
    await write(
      'zoe',
      'channel.create',
      ...many(300, (index) => ({ channelId: `list${index}`, name: `list ${index % 7}` })),
    );
    for (const order of [null, 'name', 'newest'] as const) {
      let cursor: string | null = null;
      for (const _ of many(3, String)) {
        const params = { order, cursor, limit: 10 };
        const rows = await rowsOf(async () => {
          const page = await ask(listChannels, 'channel.list', 'ben', params);
          cursor = page.nextCursor;
        });
        // The page's ten rows, one more for the next page, and the agent's few channels.
        expect([order, rows < 40]).toEqual([order, true]);
      }
    }
  });

  it('are bounded for read.state, for any number of mentions of everyone', async () => {
    const channelId = 'all';
    await write('ana', 'channel.create', { channelId, name: 'All' });
    await write('ana', 'member.add', { channelId, agentId: 'mia' });
    await write(
      'ana',
      'message.send',
      ...many(1_200, () => ({ channelId, content: '@all', parseMentions: true })),
    );
    const state = async () => (await ask(readState, 'read.state', 'mia', {})).channels;
    expect(await state()).toMatchObject([{ unread: 1_200, mentions: 1_000 }]);
    expect(await rowsOf(state)).toBeLessThan(2 * 1_000 + 20);
    await write('mia', 'read.mark', { channelId, seq: 1_200 });
    expect(await rowsOf(state)).toBeLessThan(20);
  });

  // The fault: with a filter by state, each page of ask.list visited all asks of the agent.
  it('are a page for ask.list, by role and state, however many asks there are', async () => {
    const [channelId, to] = ['asked', ['bo', 'cy']];
    await write('ann', 'channel.create', { channelId, name: 'Asked' });
    for (const agentId of to) await write('ann', 'member.add', { channelId, agentId });
    const asks = many(600, () => ({ channelId, to, content: 'x', deadlineMs: 600_000 }));
    await write('ann', 'ask.create', ...asks);
    for (const [agentId, role] of [
      ['ann', 'from'],
      ['bo', 'to'],
    ] as const) {
      for (const state of ['open', null] as const) {
        let cursor: string | null = null;
        for (const _ of many(3, String)) {
          const rows = await rowsOf(async () => {
            const page = await ask(listAsks, 'ask.list', agentId, {
              role,
              state,
              cursor,
              limit: 10,
            });
            expect(page.asks).toHaveLength(10);
            cursor = page.nextCursor;
          });
          // Each ask is visited twice, with its two addressees and its channel: to find the ask, and to load it.
          expect([role, state, rows < 150]).toEqual([role, state, true]);
        }
      }
    }
  });

  // The query must not visit questions of channels that the agent is no member of.
  it('are a page for question.list, however many questions other channels have', async () => {
    for (const channelId of ['theirs', 'few', 'both'])
      await write('gus', 'channel.create', { channelId, name: channelId });
    const questions = (channelId: string, count: number) =>
      write('gus', 'question.open', ...many(count, () => ({ channelId, title: 'Which?' })));
    for (const channelId of ['few', 'both'])
      await write('gus', 'member.add', { channelId, agentId: 'hal' });
    await questions('few', 5);
    await questions('both', 500);
    await questions('theirs', 500);
    for (const state of ['open', null] as const) {
      const params = { state, limit: 10 };
      const rows = await rowsOf(() => ask(listQuestions, 'question.list', 'hal', params));
      expect([state, rows < 120, rows]).toEqual([state, true, rows]);
      const { questions: found } = await ask(listQuestions, 'question.list', 'hal', { limit: 200 });
      expect(found.at(-1)?.channelId).toBe('both');
    }
  });

  // The fault: the query had one condition for the root and the replies, and visited the whole channel.
  it('are only those of the thread for message.history of a thread', async () => {
    const channelId = 'threads';
    await write('ana', 'channel.create', { channelId, name: 'Threads' });
    const say = (count: number, threadId: string | null = null) =>
      write('ana', 'message.send', ...many(count, () => ({ channelId, content: 'x', threadId })));
    const [root] = await say(1);
    const threadId = root?.messageId ?? '';
    await say(400);
    const replies = await say(40, threadId);
    await say(400);
    const last = replies.at(-1)?.seq ?? 0;
    for (const range of [{}, { after: 0 }, { after: 5 }, { before: last }, { before: 3 }]) {
      const rows = await rowsOf(() =>
        ask(readHistory, 'message.history', 'ana', { channelId, threadId, limit: 10, ...range }),
      );
      expect([range, rows < 40]).toEqual([range, true]);
    }
  });
});
