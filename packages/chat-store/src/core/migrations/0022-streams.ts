import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf, runAll } from './statements.ts';

export async function createStreamsTable(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { id, clustered } = columnsOf(dialect);
  await runAll(db, [
    sql`create table streams (
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
    ) ${clustered}`,
    sql`create index streams_by_agent on streams (agent_id)`,
    sql`create index streams_by_channel on streams (channel_id, seq)`,
  ]);
}
