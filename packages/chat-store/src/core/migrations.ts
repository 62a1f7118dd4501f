import { randomUUID } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import { recordCompatibility, type StoreMigration } from './compatibility.ts';

export type Dialect = 'sqlite' | 'postgres';

/**
 * Every migration by its name, oldest first. A released one is never changed. Before 0.2.0 hubs kept a channel's head in
 * its row, which 0003 removes, and wrote messages without the numbers of 0004, so they cannot serve a database after
 * these.
 */
export function createMigrations(dialect: Dialect): Record<string, StoreMigration> {
  const first = { release: '0.1.0', compatibleFrom: '0.1.0' };
  const second = { release: '0.2.0', compatibleFrom: '0.2.0' };
  return recordCompatibility({
    '0001_log_and_projections': { ...first, up: (db) => createLogAndProjections(db, dialect) },
    '0002_hubs_cut_off': { ...first, up: addHubsCutOff },
    '0003_heads_from_log': { ...second, up: readHeadsFromLog },
    '0004_message_ordinals': { ...second, up: addMessageOrdinals },
    '0005_redactions': { ...second, up: (db) => addRedactions(db, dialect) },
    '0006_agents_and_taints': { ...second, up: (db) => addAgentsAndTaints(db, dialect) },
  });
}

/**
 * A channel's head is the seq of its log's last row, which also holds the mark of its commit, so sending updates no
 * row. Earlier releases updated `head` and `touched` of the channel's row with each send, and an old snapshot prevented
 * the removal of all these row versions.
 */
async function readHeadsFromLog(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('log').addColumn('mark', 'bigint').execute();
  await sql`update log set mark = (select nullif(touched, 0) from channels where id = log.channel_id)
    where (channel_id, seq) in (select id, head from channels)`.execute(db);
  await db.schema
    .createIndex('log_marks')
    .on('log')
    .column('mark')
    .where(sql.ref('mark'), 'is not', null)
    .execute();
  await db.schema.dropIndex('channels_touched').execute();
  for (const column of ['head', 'touched']) {
    await db.schema.alterTable('channels').dropColumn(column).execute();
  }
}

/** Hubs report whether they lack Redis. While one does, the others keep its presence leases alive. */
async function addHubsCutOff(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('hubs')
    .addColumn('cut_off', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
}

/**
 * Numbers the messages of a channel, and those of each sender in it: the difference of two numbers is a count. Existing
 * messages are numbered some channels at a time, so that no statement exceeds its timeout. A million took 3 s on SQLite
 * and 16 s on PostgreSQL, on two cores.
 */
async function addMessageOrdinals(db: Kysely<unknown>): Promise<void> {
  for (const column of ['ordinal', 'sender_ordinal']) {
    await db.schema
      .alterTable('messages')
      .addColumn(column, 'bigint', (c) => c.notNull().defaultTo(0))
      .execute();
  }
  for (let after = ''; ;) {
    const { rows } = await sql<{ id: string }>`
      select id from channels where id > ${after} order by id limit 200`.execute(db);
    const last = rows.at(-1)?.id;
    if (last === undefined) break;
    await sql`update messages set ordinal = n.ordinal, sender_ordinal = n.sender_ordinal
      from (select channel_id, seq,
          row_number() over (partition by channel_id order by seq) as ordinal,
          row_number() over (partition by channel_id, sender_id order by seq) as sender_ordinal
        from messages where channel_id > ${after} and channel_id <= ${last}) as n
      where n.channel_id = messages.channel_id and n.seq = messages.seq`.execute(db);
    after = last;
  }
  // The index is by ordinal and not by seq, so that no planner prefers the primary key.
  await db.schema
    .createIndex('messages_by_sender')
    .on('messages')
    .columns(['channel_id', 'sender_id', 'ordinal'])
    .execute();
  // A covering index: the query reads no table row.
  await db.schema
    .createIndex('messages_deleted')
    .on('messages')
    .columns(['channel_id', 'ordinal', 'sender_id', 'deleted_at'])
    .where(sql.ref('deleted_at'), 'is not', null)
    .execute();
}

/** Deletions whose rows are to be redacted. Threads no longer count deleted replies. */
async function addRedactions(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const id = dialect === 'sqlite' ? sql`text` : sql`text collate "C"`;
  await db.schema
    .createTable('redactions')
    .addColumn('channel_id', id, (c) => c.notNull())
    .addColumn('message_id', id, (c) => c.notNull())
    .addColumn('message', 'text', (c) => c.notNull())
    .addColumn('after_seq', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('redactions_key', ['channel_id', 'message_id'])
    .execute();
  await sql`
    update threads set replies = (
      select count(*) from messages m
      where m.thread_id = threads.thread_id and m.channel_id = threads.channel_id
        and m.deleted_at is null)
    where exists (
      select 1 from messages d
      where d.thread_id = threads.thread_id and d.deleted_at is not null)`.execute(db);
}

/**
 * Adds the table of known agents, filled with the current members, and the taints of messages, which causes pass on.
 * The log's rows are not changed: the fields that they lack are added when they are read.
 */
async function addAgentsAndTaints(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  await db.schema
    .createTable('agents')
    .addColumn('id', isSqlite ? sql`text` : sql`text collate "C"`, (c) => c.primaryKey().notNull())
    .addColumn('kind', 'text')
    .addColumn('first_seen', 'bigint')
    .addColumn('last_seen', 'bigint')
    .modifyEnd(isSqlite ? sql`without rowid` : sql``)
    .execute();
  await sql`insert into agents (id) select distinct agent_id from members`.execute(db);
  await db.schema.alterTable('messages').addColumn('taint', 'text').execute();
}

async function createLogAndProjections(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  // Ids are compared bytewise on both engines, because paging and lock order must not depend on a server's locale.
  const id = isSqlite ? sql`text` : sql`text collate "C"`;
  // On SQLite, rows are stored in the tree of the primary key, so that a channel's log is contiguous on disk.
  const clustered = isSqlite ? sql`without rowid` : sql``;
  const { schema } = db;

  await schema
    .createTable('channels')
    .addColumn('id', id, (c) => c.primaryKey().notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('topic', 'text')
    .addColumn('metadata', 'text')
    .addColumn('pair', 'text')
    .addColumn('created_by', id, (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('archived_at', 'bigint')
    .addColumn('deleted_at', 'bigint')
    .addColumn('swept_at', 'bigint')
    .addColumn('head', 'bigint', (c) => c.notNull())
    .addColumn('touched', 'bigint', (c) => c.notNull())
    .modifyEnd(clustered)
    .execute();
  await schema.createIndex('channels_touched').on('channels').column('touched').execute();
  await schema
    .createIndex('channels_public')
    .on('channels')
    .column('id')
    .where(sql.ref('kind'), '=', sql.lit('public'))
    .where(sql.ref('deleted_at'), 'is', null)
    .execute();

  await schema
    .createIndex('channels_to_sweep')
    .on('channels')
    .column('deleted_at')
    .where(sql.ref('deleted_at'), 'is not', null)
    .where(sql.ref('swept_at'), 'is', null)
    .execute();

  await schema
    .createTable('members')
    .addColumn('channel_id', id, (c) => c.notNull())
    .addColumn('agent_id', id, (c) => c.notNull())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('display_name', 'text')
    .addColumn('joined_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('members_key', ['channel_id', 'agent_id'])
    .modifyEnd(clustered)
    .execute();
  await schema
    .createIndex('members_by_agent')
    .on('members')
    .columns(['agent_id', 'channel_id'])
    .execute();

  await schema
    .createTable('log')
    .addColumn('channel_id', id, (c) => c.notNull())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('id', id, (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('sender_id', id, (c) => c.notNull())
    .addColumn('timestamp', 'bigint', (c) => c.notNull())
    .addColumn('message_id', id)
    .addColumn('client_message_id', id)
    .addColumn('fingerprint', 'text')
    .addColumn('envelope', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('log_key', ['channel_id', 'seq'])
    .modifyEnd(clustered)
    .execute();
  // The sender comes last: ids begin with their time, so the index grows at its end for all senders.
  await schema
    .createIndex('log_by_client_message')
    .unique()
    .on('log')
    .columns(['channel_id', 'client_message_id', 'sender_id'])
    .where(sql.ref('client_message_id'), 'is not', null)
    .execute();
  // Finds the edits of a message when it is deleted.
  await schema
    .createIndex('log_edits')
    .on('log')
    .columns(['channel_id', 'message_id'])
    .where(sql.ref('type'), '=', sql.lit('channel.message.edit'))
    .execute();

  await schema
    .createTable('messages')
    .addColumn('channel_id', id, (c) => c.notNull())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('id', id, (c) => c.notNull())
    .addColumn('sender_id', id, (c) => c.notNull())
    .addColumn('thread_id', id)
    .addColumn('text_seq', 'bigint', (c) => c.notNull())
    .addColumn('deleted_at', 'bigint')
    .addPrimaryKeyConstraint('messages_key', ['channel_id', 'seq'])
    .modifyEnd(clustered)
    .execute();
  await schema.createIndex('messages_by_id').unique().on('messages').column('id').execute();
  await schema
    .createIndex('messages_by_thread')
    .on('messages')
    .columns(['thread_id', 'seq'])
    .where(sql.ref('thread_id'), 'is not', null)
    .execute();

  await schema
    .createTable('reactions')
    .addColumn('message_id', id, (c) => c.notNull())
    .addColumn('emoji', id, (c) => c.notNull())
    .addColumn('agent_id', id, (c) => c.notNull())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('reactions_key', ['message_id', 'emoji', 'agent_id'])
    .modifyEnd(clustered)
    .execute();

  await schema
    .createTable('threads')
    .addColumn('channel_id', id, (c) => c.notNull())
    .addColumn('thread_id', id, (c) => c.notNull())
    .addColumn('title', 'text')
    .addColumn('created_by', id, (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('replies', 'bigint', (c) => c.notNull())
    .addColumn('announced', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('threads_key', ['channel_id', 'thread_id'])
    .modifyEnd(clustered)
    .execute();

  for (const table of ['mentions', 'read_cursors']) {
    const key =
      table === 'mentions' ? ['agent_id', 'channel_id', 'seq'] : ['agent_id', 'channel_id'];
    await schema
      .createTable(table)
      .addColumn('agent_id', id, (c) => c.notNull())
      .addColumn('channel_id', id, (c) => c.notNull())
      .addColumn('seq', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint(`${table}_key`, key as ['agent_id', 'channel_id'])
      .modifyEnd(clustered)
      .execute();
  }
  await schema
    .createIndex('mentions_by_message')
    .on('mentions')
    .columns(['channel_id', 'seq'])
    .execute();

  await schema
    .createTable('hubs')
    .addColumn('id', id, (c) => c.primaryKey().notNull())
    .addColumn('beat_at', 'bigint', (c) => c.notNull())
    .execute();

  await schema
    .createTable('revoked_tokens')
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('value', id, (c) => c.notNull())
    .addColumn('revoked_at', 'bigint', (c) => c.notNull())
    .addColumn('touched', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('revoked_tokens_key', ['kind', 'value'])
    .modifyEnd(clustered)
    .execute();
  await schema
    .createIndex('revoked_tokens_touched')
    .on('revoked_tokens')
    .column('touched')
    .execute();

  await schema
    .createTable('meta')
    .addColumn('name', 'text', (c) => c.primaryKey().notNull())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute();
  await sql`insert into meta (name, value) values ('epoch', ${randomUUID()})`.execute(db);
}
