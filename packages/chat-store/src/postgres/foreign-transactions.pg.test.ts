import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startPostgres, type PostgresServer } from '@openclaw/test-support';
import pg from 'pg';
import { channelWithTwo } from '../contract/world.contract.ts';
import { createChatStore, type ChatStore } from '../index.ts';

describe('a chat store on PostgreSQL, beside other transactions', () => {
  let server: PostgresServer;
  let store: ChatStore;
  let other: ChatStore;
  const foreign: pg.Client[] = [];

  // These tests would count the search index's own transactions, so the index waits an hour.
  const searchEveryMs = 3_600_000;

  beforeAll(async () => {
    server = await startPostgres(['autovacuum=off']);
    store = await createChatStore({ url: server.url, searchEveryMs });
    other = await createChatStore({ url: server.url, searchEveryMs });
  }, 60_000);
  afterAll(async () => {
    await Promise.all(foreign.map((client) => client.end()));
    await Promise.all([store.close(), other.close()]);
    await server.stop();
  });

  /** While a transaction is open, the id of the server's oldest running transaction does not rise. */
  async function openTransaction() {
    const client = new pg.Client({ connectionString: server.url });
    foreign.push(client);
    await client.connect();
    await client.query('begin');
    await client.query('select pg_current_xact_id()');
    return () => client.query('commit');
  }

  /** Lists every row version that a statement would visit now, as `table, place, transaction`. */
  function versions(): string[] {
    const tables = server.query(`select tablename from pg_tables where schemaname = 'public'`);
    const each = tables
      .split('\n')
      .map((name) => `select '${name}' as t, ctid::text, xmin::text from "${name}"`);
    return server.query(each.join(' union all ')).split('\n');
  }

  // An open snapshot, for example of a dump, keeps every version of an updated row. Readers of the row walk all
  // versions, so each send would be slower than the one before.
  it('sends without updating a row', async () => {
    const { channelId, owner, member } = await channelWithTwo(store);
    await owner.say(channelId, 'first');
    const before = versions();
    for (let i = 0; i < 20; i++) {
      await owner.say(channelId, `${i}`, { mentions: [member.agentId], clientMessageId: `${i}` });
      await store.changes(null);
    }
    const after = new Set(versions());
    expect(before.filter((version) => !after.has(version))).toEqual([]);
    // Negative control: an update adds a row version.
    await owner.write('channel.update', { channelId, topic: 'new' });
    const updated = new Set(versions());
    expect(before.filter((version) => !updated.has(version))).toHaveLength(1);
  });

  // While a transaction stays open, the id of the oldest running transaction does not rise. A watcher must still find
  // every other commit exactly once.
  it('finds a change behind more than 5,000 others while a transaction stays open', async () => {
    const { channelId, owner } = await channelWithTwo(other);
    let { mark } = await store.changes(null);
    const end = await openTransaction();
    for (let group = 0; group < 12; group++) {
      server.query(`with made as (
          insert into channels (id, kind, name, created_by, created_at)
          select 'crowd-${group}-' || i, 'public', 'x', 'x', 0 from generate_series(1, 500) i
          returning id)
        insert into log (channel_id, seq, id, type, sender_id, timestamp, envelope, mark)
        select id, 1, id, 'channel.message', 'x', 0, '', pg_current_xact_id()::text::bigint
        from made`);
    }
    await owner.say(channelId, 'behind them all');
    const found = new Map<string, number>();
    const statements: number[] = [];
    async function check() {
      for (let hasMore = true; hasMore;) {
        const changes = await store.changes(mark);
        for (const head of changes.heads) found.set(head.channelId, head.head);
        statements.push(changes.heads.length);
        ({ mark, hasMore } = changes);
      }
    }
    await check();
    expect(found.get(channelId)).toBe(3);
    expect(found.size).toBe(6001);
    expect(statements).toHaveLength(2);

    await check();
    expect(statements.slice(2)).toEqual([0]);
    await owner.say(channelId, 'once more');
    await check();
    expect(statements.slice(3)).toEqual([1]);
    expect(found.get(channelId)).toBe(4);
    await end();
  });

  // A backup holds the marks of another server, which may be ahead of this server's count. No check may report such
  // marks again and again.
  it('does not report marks of another server repeatedly', async () => {
    const { channelId, owner } = await channelWithTwo(store);
    let { mark } = await store.changes(null);
    server.query(`update log set mark = 1000000000000 where channel_id = '${channelId}'`);
    const restored = await store.changes(mark);
    expect(restored.heads).toEqual([]);
    await owner.say(channelId, 'x');
    const changes = await store.changes(restored.mark);
    expect(changes.heads).toEqual([{ channelId, head: 3 }]);
    ({ mark } = changes);
    expect((await store.changes(mark)).heads).toEqual([]);
  });

  it('reports how many transactions began since the oldest open one', async () => {
    const { channelId, owner } = await channelWithTwo(store);
    expect((await store.changes(null)).transactionLag).toBe(0);
    const end = await openTransaction();
    for (let i = 0; i < 10; i++) await owner.say(channelId, `${i}`);
    // The open transaction counts too.
    expect((await store.changes(null)).transactionLag).toBe(11);
    await end();
    expect((await store.changes(null)).transactionLag).toBe(0);
  });
});
