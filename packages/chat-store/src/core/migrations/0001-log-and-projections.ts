import { randomUUID } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf, runAll } from './statements.ts';

export async function createLogAndProjections(
  db: Kysely<unknown>,
  dialect: Dialect,
): Promise<void> {
  const { id, clustered } = columnsOf(dialect);
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
    // The sender is the last column, because client message ids usually begin with their time. So each channel's part of
    // the index grows at its end.
    sql`create unique index log_by_client_message on log (channel_id, client_message_id, sender_id)
      where client_message_id is not null`,
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
