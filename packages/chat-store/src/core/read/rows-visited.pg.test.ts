import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { methods, type ParamsInputOf, type ParamsOf } from '@openclaw/protocol';
import { startPostgres, type PostgresServer } from '@openclaw/test-support';
import { Kysely, PostgresDialect, sql, type CompiledQuery } from 'kysely';
import type pg from 'pg';
import type { ReadMethod } from '../../commands.ts';
import { createChatStore } from '../../index.ts';
import { createPool } from '../../postgres/connections.ts';
import type { Engine } from '../engine.ts';
import type { Tables } from '../tables.ts';
import { readDirectChannels } from '../access.ts';
import { findDue } from '../due.ts';
import { readInboxMarks } from '../inbox-marks.ts';
import { readHistory } from './history.ts';
import { answerBytes, parsedOutcome } from './read.ts';
import { readState } from './read-state.ts';
import type { Read } from './reading.ts';

interface Plan {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

const watched = ['messages', 'mentions', 'log', 'inbox', 'asks'];

// Counts the visited rows of the tables that grow with messages. Rows that a filter removed count too.
function rowsVisited(plan: Plan): number {
  const isWatched = watched.includes(plan['Relation Name'] ?? '');
  const own = (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'];
  return (plan.Plans ?? []).reduce((sum, one) => sum + rowsVisited(one), isWatched ? own : 0);
}

describe('rows that a read visits on PostgreSQL', () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  let db: Kysely<Tables>;
  const asked: CompiledQuery[] = [];

  beforeAll(async () => {
    server = await startPostgres();
    const store = await createChatStore({ url: server.url });
    await store.close();
    ({ pool } = createPool({
      url: server.url,
      timeoutMs: 20_000,
      lockTimeoutMs: 1_000,
      poolSize: 2,
    }));
    db = new Kysely({
      dialect: new PostgresDialect({ pool }),
      log: ({ query }) => void asked.push(query),
    });
    // eva wrote none of the 3 messages in 'quiet', and none of the 20,000 in 'busy'. Her 25,000 messages, half of all,
    // are in her own channel. A thread of 40 is in the middle of 'busy'.
    server.query(`
      insert into channels (id, kind, name, created_by, created_at)
        select id, 'public', id, 'ana', 1
        from unnest(array['quiet', 'busy', 'hers', 'loud']) as c(id);
      insert into members (channel_id, agent_id, role, joined_at) values
        ('quiet', 'eva', 'member', 1), ('busy', 'eva', 'member', 1), ('busy', 'ana', 'owner', 1),
        ('loud', 'joe', 'member', 1);
      insert into messages (channel_id, seq, id, sender_id, thread_id, text_seq, ordinal,
          sender_ordinal, deleted_at)
        select c.id, s, c.id || s, c.sender,
          case when c.id = 'busy' and s between 10000 and 10039 then 'busy9000' end, s, s, s,
          case when c.id = 'loud' and s <= 4000 then 1 end
        from (values ('quiet', 'ana', 3), ('busy', 'ana', 20000), ('hers', 'eva', 25000),
          ('loud', 'ana', 6000)) as c(id, sender, n), generate_series(1, c.n) as s;
      insert into mentions (agent_id, channel_id, seq)
        select 'joe', 'loud', s from generate_series(1, 6000) as s;
      insert into log (channel_id, seq, id, type, sender_id, timestamp, envelope)
        select channel_id, seq, id, 'channel.message', sender_id, 1,
          '{"id":"x","event":{"type":"channel.message","message":{"n":' || seq || '}}'
        from messages;
      insert into channels (id, kind, name, created_by, created_at)
        select 'dm_' || n, 'direct', '', 'max', 1 from generate_series(1, 2000) as n;
      insert into members (channel_id, agent_id, role, joined_at)
        select 'dm_' || n, 'max', 'member', 1 from generate_series(1, 2000) as n;
      insert into log (channel_id, seq, id, type, sender_id, timestamp, envelope)
        select 'dm_' || n, s, 'd' || n || '-' || s, 'channel.message', 'max', n + s, '{}'
        from generate_series(1, 2000) as n, generate_series(1, 10) as s;
      insert into inbox (agent_id, channel_id, seq, message_seq, reason)
        select id, 'busy', s, s, 'mention'
        from unnest(array['ana', '@all']) as a(id), generate_series(1, 5000) as s;
      insert into asks (id, channel_id, seq, thread_id, sender_id, deadline_at, due_at)
        select 'ask' || s, 'busy', s, 'ask' || s, 'ana', 9e12, 9e12
        from generate_series(1, 5000) as s;
      analyze`);
  }, 60_000);
  afterAll(async () => {
    await db.destroy();
    await server.stop();
  });

  const noSql = {} as Engine['sql'];

  async function visited<M extends ReadMethod>(
    read: Read<M>,
    method: M,
    agentId: string,
    params: ParamsInputOf<M>,
    channels?: readonly string[],
  ) {
    const actor = { agentId, isAdmin: false, ...(channels ? { channels } : {}) };
    asked.length = 0;
    const parsed = methods[method].params.parse(params) as ParamsOf<M>;
    const answer = parsedOutcome<M>(await read(db, actor, parsed, answerBytes, 'postgres', noSql));
    if (!answer.ok) throw new Error(answer.code);
    return { rows: await rowsOfAsked(), result: answer.result };
  }

  async function rowsOfAsked(): Promise<number> {
    let rows = 0;
    for (const { sql: statement, parameters } of asked.slice()) {
      const text = `explain (analyze, format json) ${statement}`;
      const explained = await pool.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(text, [...parameters]);
      rows += rowsVisited(explained.rows[0]?.['QUERY PLAN'][0].Plan as Plan);
    }
    return rows;
  }

  // The fault: each unread message and each own message was visited.
  it('are as few for read.state with many unread messages as with few', async () => {
    const state = (channelId: string, agentId = 'eva') =>
      visited(readState, 'read.state', agentId, {}, [channelId]);
    const [quiet, busy, own] = [
      await state('quiet'),
      await state('busy'),
      await state('busy', 'ana'),
    ];
    expect(quiet.result.channels).toMatchObject([{ unread: 3 }]);
    expect(busy.result.channels).toMatchObject([{ unread: 10_000 }]);
    expect(own.result.channels).toMatchObject([{ unread: 0 }]);
    expect(quiet.rows).toBeLessThan(10);
    expect([busy.rows, own.rows]).toEqual([quiet.rows, quiet.rows + 2]);
  });

  it('are bounded for read.state, for any number of deletions and mentions', async () => {
    const { rows, result } = await visited(readState, 'read.state', 'joe', {});
    // 4,000 of the 6,000 messages are deleted, but at most 1,000 deletions are subtracted.
    expect(result.channels).toMatchObject([{ unread: 5_000, mentions: 1_000 }]);
    expect(rows).toBeLessThan(2_010);
  });

  // The fault: one condition for the root and the replies walked the whole channel.
  it('are only those of the thread for message.history of a thread', async () => {
    for (const range of [{}, { after: 0 }, { after: 10_020 }, { before: 10_020 }, { before: 3 }]) {
      const params = { channelId: 'busy', threadId: 'busy9000', limit: 10, ...range };
      const { rows } = await visited(readHistory, 'message.history', 'ana', params);
      // A page of ten reads eleven of the 20,000 messages, with their log rows: first the sizes, then the texts.
      expect([range, rows < 100, rows]).toEqual([range, true, rows]);
    }
  });

  // The fault: each welcome read the whole log and sorted all direct channels.
  it('are two for each direct channel of a page, however many there are', async () => {
    asked.length = 0;
    const page = await readDirectChannels({ db }, 'max', 200);
    expect(page).toHaveLength(200);
    expect(page[0]).toEqual({ channelId: 'dm_1', head: 10, activeAt: 11 });
    expect(await rowsOfAsked()).toBeLessThanOrEqual(400);
  });

  // The fault: PostgreSQL uses no index for a comparison with its clock, because the function is volatile. Each hub
  // therefore visited every open ask, twice a second.
  it('are only the due ones for the expiries, however many asks are open', async () => {
    const now = () => sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
    asked.length = 0;
    expect(await findDue({ db, sql: { now } } as unknown as Engine)).toEqual([]);
    expect(await rowsOfAsked()).toBe(0);
  });

  // The fault: for each agent without items, the items of all agents were visited.
  it('are few for the marks of empty inboxes, however many items others have', async () => {
    const agentIds = Array.from({ length: 50 }, (_, n) => `idle${n}`);
    asked.length = 0;
    await readInboxMarks({ db } as unknown as Engine, agentIds, 0);
    expect(await rowsOfAsked()).toBeLessThan(100);
  });
});
