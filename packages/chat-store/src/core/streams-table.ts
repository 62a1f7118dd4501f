import { sql, type Kysely } from 'kysely';

/** Adds the texts of messages that grow. */
export async function createStreamsTable(
  db: Kysely<unknown>,
  dialect: 'sqlite' | 'postgres',
): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  const id = isSqlite ? sql`text` : sql`text collate "C"`;
  await sql`create table streams (
    message_id ${id} not null primary key,
    channel_id ${id} not null,
    seq bigint not null,
    agent_id ${id} not null,
    kind text,
    text text not null,
    length bigint not null,
    appended_at bigint not null,
    seen_at bigint not null,
    due integer not null
  ) ${isSqlite ? sql`without rowid` : sql``}`.execute(db);
  await sql`create index streams_by_agent on streams (agent_id)`.execute(db);
  await sql`create index streams_by_channel on streams (channel_id, seq)`.execute(db);
}
