import { randomUUID } from 'node:crypto';
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { createAgentOrdersTable } from './agent-orders.ts';
import { recordCompatibility, type StoreMigration } from './compatibility.ts';
import { createStreamsTable } from './streams-table.ts';
import { createSearchTables } from './search/search-tables.ts';

export type Dialect = 'sqlite' | 'postgres';

/**
 * Every migration by its name, oldest first. A released migration is never changed. Hubs before 0.2.0 cannot serve a
 * database after 0003 and 0004: they use a channel's head in its row, which 0003 removes, and write messages without
 * the numbers that 0004 adds.
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
    '0007_retention': { ...second, up: (db) => addRetention(db, dialect) },
    '0008_log_in_order_of_commits': { ...second, up: (db) => orderLogByCommits(db, dialect) },
    '0009_joined_seq': { ...second, up: addJoinedSeq },
    '0010_channel_orders': { ...second, up: (db) => addChannelOrders(db, dialect) },
    '0011_claims': { ...second, up: (db) => addClaims(db, dialect) },
    '0012_tokens_and_audit': { ...second, up: (db) => addTokensAndAudit(db, dialect) },
    '0013_ledger': { ...second, up: (db) => addLedger(db, dialect) },
    '0014_freezes': { ...second, up: (db) => addFreezes(db, dialect) },
    '0015_budgets': { ...second, up: (db) => addBudgets(db, dialect) },
    '0016_search': { ...second, up: (db) => createSearchTables(db, dialect) },
    '0017_thread_activity': { ...second, up: addThreadActivity },
    '0018_agent_orders': { ...second, up: (db) => createAgentOrdersTable(db, dialect) },
    '0022_streams': { ...second, up: (db) => createStreamsTable(db, dialect) },
  });
}

/** Adds budgets, and counts the turns of agents in rows that each message reads and writes. */
async function addBudgets(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  const id = isSqlite ? sql`text` : sql`text collate "C"`;
  await runAll(db, [
    sql`alter table channels add column agent_turns bigint`,
    sql`alter table channels add column per_minute bigint`,
    sql`alter table messages add column turns text`,
    sql`alter table threads add column turns text`,
    sql`create table thread_budgets (
      channel_id ${id} not null,
      thread_id ${id} not null,
      agent_turns bigint,
      per_minute bigint,
      constraint thread_budgets_key primary key (channel_id, thread_id)
    ) ${isSqlite ? sql`without rowid` : sql``}`,
  ]);
}

/** Adds freezes. That of a channel also stands in its row, which each write locks. */
async function addFreezes(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  const id = isSqlite ? sql`text` : sql`text collate "C"`;
  await runAll(db, [
    sql`alter table channels add column frozen_at bigint`,
    sql`create table freezes (
      scope text not null,
      id ${id} not null,
      reason text not null,
      set_by ${id} not null,
      set_at bigint not null,
      constraint freezes_key primary key (scope, id)
    ) ${isSqlite ? sql`without rowid` : sql``}`,
  ]);
}

/** Adds the hourly sums of turns. The hour comes second in the key, so that retention removes a range of it. */
async function addLedger(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  const id = isSqlite ? sql`text` : sql`text collate "C"`;
  await sql`create table ledger (
    channel_id ${id} not null,
    hour bigint not null,
    thread_id ${id} not null,
    agent_id ${id} not null,
    turns bigint not null,
    tokens_in bigint not null,
    tokens_out bigint not null,
    cost_micros bigint not null,
    ms bigint not null,
    constraint ledger_key primary key (channel_id, hour, thread_id, agent_id)
  ) ${isSqlite ? sql`without rowid` : sql``}`.execute(db);
}

/** Threads have the seq of their last event, by which they are listed. */
async function addThreadActivity(db: Kysely<unknown>): Promise<void> {
  await runAll(db, [
    sql`alter table threads add column last_seq bigint not null default 0`,
    sql`update threads set last_seq = coalesce(
      (select max(seq) from messages m where m.thread_id = threads.thread_id),
      (select seq from messages m where m.id = threads.thread_id), 0)`,
    sql`create index threads_by_activity on threads (channel_id, last_seq, thread_id)`,
  ]);
}

/** Adds the claims of threads. */
async function addClaims(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  const id = isSqlite ? sql`text` : sql`text collate "C"`;
  await sql`create table claims (
    channel_id ${id} not null,
    thread_id ${id} not null,
    agent_id ${id} not null,
    fence bigint not null,
    until_at bigint not null,
    released integer not null,
    constraint claims_key primary key (channel_id, thread_id)
  ) ${isSqlite ? sql`without rowid` : sql``}`.execute(db);
}

/**
 * Public channels are also listed by name and by age. Names are compared bytewise, like ids. The column keeps its
 * collation, because another one would break the prepared statements of hubs that run meanwhile.
 */
async function addChannelOrders(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isListed = sql`kind = 'public' and deleted_at is null`;
  const name = dialect === 'sqlite' ? sql`name` : sql`name collate "C"`;
  await runAll(db, [
    sql`create index channels_by_name on channels (${name}, id) where ${isListed}`,
    sql`create index channels_by_age on channels (created_at, id) where ${isListed}`,
  ]);
}

/**
 * Members have the seq of their join. Before this migration no message mentioned everyone, so 0 is right for the
 * present members.
 */
async function addJoinedSeq(db: Kysely<unknown>): Promise<void> {
  await sql`alter table members add column joined_seq bigint not null default 0`.execute(db);
}

/** Adds the list of minted tokens, the end of revocations, and the audit log. */
async function addTokensAndAudit(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  const id = isSqlite ? sql`text` : sql`text collate "C"`;
  await runAll(db, [
    sql`alter table revoked_tokens add column expires_at bigint`,
    sql`create index revoked_tokens_expiry on revoked_tokens (expires_at)
      where expires_at is not null`,
    sql`create table minted_tokens (
      jti ${id} not null primary key,
      sub ${id} not null,
      minter ${id} not null,
      kind text,
      is_admin integer not null,
      channels text,
      minted_at bigint not null,
      expires_at bigint not null,
      last_used_at bigint
    )`,
    sql`create index minted_tokens_newest on minted_tokens (minted_at, jti)`,
    sql`create index minted_tokens_by_sub on minted_tokens (sub, minted_at, jti)`,
    sql`create index minted_tokens_by_minter on minted_tokens (minter, minted_at, jti)`,
    sql`create index minted_tokens_expiry on minted_tokens (expires_at)`,
    sql`create table audit_log (
      id ${id} not null primary key,
      at bigint not null,
      actor ${id} not null,
      action text not null,
      target ${id},
      details text not null,
      via text not null,
      address text,
      request_id text,
      hub_id text
    )`,
    sql`create index audit_log_newest on audit_log (at, id)`,
    sql`create index audit_log_by_actor on audit_log (actor, at, id)`,
    sql`create index audit_log_by_target on audit_log (target, at, id)
      where target is not null`,
  ]);
}

/**
 * Halves the pages that a message writes. The index of client message ids now begins with the id, which begins with its
 * time, so the index grows only at its end. On SQLite the log's rows are now stored in the order of their commits
 * instead of by channel, because an insert in the middle of the tree rewrote the pages around it. The existing rows are
 * copied channel by channel, so that each old log stays contiguous. A million rows took a minute, and the copy needs as
 * much free disk space as the log has.
 */
async function orderLogByCommits(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const indexClientMessages = sql`create unique index log_by_client_message
    on log (client_message_id, channel_id, sender_id) where client_message_id is not null`;
  if (dialect === 'postgres') {
    await runAll(db, [sql`drop index log_by_client_message`, indexClientMessages]);
    return;
  }
  await runAll(db, [
    sql`create table log_by_commit (
      channel_id text not null,
      seq bigint not null,
      id text not null,
      type text not null,
      sender_id text not null,
      timestamp bigint not null,
      message_id text,
      client_message_id text,
      fingerprint text,
      envelope text not null,
      mark bigint,
      constraint log_key primary key (channel_id, seq)
    )`,
    sql`insert into log_by_commit (channel_id, seq, id, type, sender_id, timestamp, message_id,
        client_message_id, fingerprint, envelope, mark)
      select channel_id, seq, id, type, sender_id, timestamp, message_id, client_message_id,
        fingerprint, envelope, mark
      from log order by channel_id, seq`,
    sql`drop table log`,
    sql`alter table log_by_commit rename to log`,
    indexClientMessages,
    sql`create index log_edits on log (channel_id, message_id)
      where type = 'channel.message.edit'`,
    sql`create index log_marks on log (mark) where mark is not null`,
  ]);
}

/**
 * Adds the retention of channels, the floors of their logs, and the position of the sweeper. The sweeper deletes as
 * many rows as agents write, so PostgreSQL must reuse their space early. By default it waits until a fifth of the table
 * is deleted.
 */
async function addRetention(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  const id = isSqlite ? sql`text` : sql`text collate "C"`;
  await runAll(db, [
    sql`alter table channels add column retention_ms bigint`,
    sql`alter table channels add column max_messages bigint`,
    sql`create index channels_to_trim on channels (id)
      where retention_ms is not null or max_messages is not null`,
    sql`create table log_floors (
      channel_id ${id} not null primary key,
      floor bigint not null,
      rewrites bigint not null
    ) ${isSqlite ? sql`without rowid` : sql``}`,
    sql`create table sweeps (
      name text not null primary key,
      after_id ${id} not null,
      due_at bigint not null
    )`,
    sql`insert into sweeps (name, after_id, due_at) values ('retention', '', 0)`,
  ]);
  if (isSqlite) return;
  for (const table of ['log', 'messages', 'reactions', 'mentions']) {
    await sql`alter table ${sql.table(table)} set
      (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)`.execute(db);
  }
}

/**
 * A channel's head is the seq of its log's last row, which also holds the mark of its commit, so sending updates no
 * row. Earlier releases updated `head` and `touched` of the channel's row with each send, and an old snapshot prevented
 * the removal of the row versions that this left.
 */
async function readHeadsFromLog(db: Kysely<unknown>): Promise<void> {
  await runAll(db, [
    sql`alter table log add column mark bigint`,
    sql`update log set mark = (select nullif(touched, 0) from channels where id = log.channel_id)
      where (channel_id, seq) in (select id, head from channels)`,
    sql`create index log_marks on log (mark) where mark is not null`,
    sql`drop index channels_touched`,
    sql`alter table channels drop column head`,
    sql`alter table channels drop column touched`,
  ]);
}

/** Hubs report whether they lack Redis. While a hub lacks it, the others keep the hub's presence leases alive. */
async function addHubsCutOff(db: Kysely<unknown>): Promise<void> {
  await sql`alter table hubs add column cut_off integer not null default 0`.execute(db);
}

/**
 * Numbers the messages of a channel, and those of each sender in it: the difference of two numbers is a count. Existing
 * messages are numbered a few channels at a time, so that no statement exceeds its timeout. A million took 3 s on
 * SQLite and 16 s on PostgreSQL, on two cores.
 */
async function addMessageOrdinals(db: Kysely<unknown>): Promise<void> {
  await runAll(db, [
    sql`alter table messages add column ordinal bigint not null default 0`,
    sql`alter table messages add column sender_ordinal bigint not null default 0`,
  ]);
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
  await runAll(db, [
    // The index is by ordinal and not by seq, so that a planner does not prefer the primary key.
    sql`create index messages_by_sender on messages (channel_id, sender_id, ordinal)`,
    // A covering index: the query reads no table row.
    sql`create index messages_deleted on messages (channel_id, ordinal, sender_id, deleted_at)
      where deleted_at is not null`,
  ]);
}

/** Deletions whose rows are to be redacted. Threads no longer count deleted replies. */
async function addRedactions(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const id = dialect === 'sqlite' ? sql`text` : sql`text collate "C"`;
  await runAll(db, [
    sql`create table redactions (
      channel_id ${id} not null,
      message_id ${id} not null,
      message text not null,
      after_seq bigint not null,
      constraint redactions_key primary key (channel_id, message_id)
    )`,
    sql`update threads set replies = (
        select count(*) from messages m
        where m.thread_id = threads.thread_id and m.channel_id = threads.channel_id
          and m.deleted_at is null)
      where exists (
        select 1 from messages d
        where d.thread_id = threads.thread_id and d.deleted_at is not null)`,
  ]);
}

/**
 * Adds the table of known agents, filled with the current members, and the taints of messages, which a message passes
 * on to the messages that it causes. The log's rows are not changed: the fields that they lack are added when they are
 * read.
 */
async function addAgentsAndTaints(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  await runAll(db, [
    sql`create table agents (
      id ${isSqlite ? sql`text` : sql`text collate "C"`} not null primary key,
      kind text,
      first_seen bigint,
      last_seen bigint
    ) ${isSqlite ? sql`without rowid` : sql``}`,
    sql`insert into agents (id) select distinct agent_id from members`,
    sql`alter table messages add column taint text`,
  ]);
}

async function createLogAndProjections(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  // Ids are compared bytewise on both engines, because paging and lock order must not depend on a server's locale.
  const id = isSqlite ? sql`text` : sql`text collate "C"`;
  // On SQLite, rows are stored in the tree of the primary key, so that a channel's log is contiguous on disk.
  const clustered = isSqlite ? sql`without rowid` : sql``;
  await runAll(db, [
    sql`create table channels (
      id ${id} not null primary key,
      kind text not null,
      name text not null,
      topic text,
      metadata text,
      pair text,
      created_by ${id} not null,
      created_at bigint not null,
      archived_at bigint,
      deleted_at bigint,
      swept_at bigint,
      head bigint not null,
      touched bigint not null
    ) ${clustered}`,
    sql`create index channels_touched on channels (touched)`,
    sql`create index channels_public on channels (id)
      where kind = 'public' and deleted_at is null`,
    sql`create index channels_to_sweep on channels (deleted_at)
      where deleted_at is not null and swept_at is null`,

    sql`create table members (
      channel_id ${id} not null,
      agent_id ${id} not null,
      role text not null,
      display_name text,
      joined_at bigint not null,
      constraint members_key primary key (channel_id, agent_id)
    ) ${clustered}`,
    sql`create index members_by_agent on members (agent_id, channel_id)`,

    sql`create table log (
      channel_id ${id} not null,
      seq bigint not null,
      id ${id} not null,
      type text not null,
      sender_id ${id} not null,
      timestamp bigint not null,
      message_id ${id},
      client_message_id ${id},
      fingerprint text,
      envelope text not null,
      constraint log_key primary key (channel_id, seq)
    ) ${clustered}`,
    // The sender comes last: ids begin with their time, so the index grows at its end for all senders.
    sql`create unique index log_by_client_message on log (channel_id, client_message_id, sender_id)
      where client_message_id is not null`,
    // Finds the edits of a message when it is deleted.
    sql`create index log_edits on log (channel_id, message_id)
      where type = 'channel.message.edit'`,

    sql`create table messages (
      channel_id ${id} not null,
      seq bigint not null,
      id ${id} not null,
      sender_id ${id} not null,
      thread_id ${id},
      text_seq bigint not null,
      deleted_at bigint,
      constraint messages_key primary key (channel_id, seq)
    ) ${clustered}`,
    sql`create unique index messages_by_id on messages (id)`,
    sql`create index messages_by_thread on messages (thread_id, seq) where thread_id is not null`,

    sql`create table reactions (
      message_id ${id} not null,
      emoji ${id} not null,
      agent_id ${id} not null,
      seq bigint not null,
      constraint reactions_key primary key (message_id, emoji, agent_id)
    ) ${clustered}`,

    sql`create table threads (
      channel_id ${id} not null,
      thread_id ${id} not null,
      title text,
      created_by ${id} not null,
      created_at bigint not null,
      replies bigint not null,
      announced integer not null,
      constraint threads_key primary key (channel_id, thread_id)
    ) ${clustered}`,

    sql`create table mentions (
      agent_id ${id} not null,
      channel_id ${id} not null,
      seq bigint not null,
      constraint mentions_key primary key (agent_id, channel_id, seq)
    ) ${clustered}`,
    sql`create index mentions_by_message on mentions (channel_id, seq)`,

    sql`create table read_cursors (
      agent_id ${id} not null,
      channel_id ${id} not null,
      seq bigint not null,
      constraint read_cursors_key primary key (agent_id, channel_id)
    ) ${clustered}`,

    sql`create table hubs (id ${id} not null primary key, beat_at bigint not null)`,

    sql`create table revoked_tokens (
      kind text not null,
      value ${id} not null,
      revoked_at bigint not null,
      touched bigint not null,
      constraint revoked_tokens_key primary key (kind, value)
    ) ${clustered}`,
    sql`create index revoked_tokens_touched on revoked_tokens (touched)`,

    sql`create table meta (name text not null primary key, value text not null)`,
    sql`insert into meta (name, value) values ('epoch', ${randomUUID()})`,
  ]);
}

async function runAll(
  db: Kysely<unknown>,
  statements: readonly RawBuilder<unknown>[],
): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
