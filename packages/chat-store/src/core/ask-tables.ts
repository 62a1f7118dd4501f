import { sql, type Kysely } from 'kysely';
import type { AskState } from '@openclaw/protocol';
import type { Dialect } from './migrations.ts';

/** A message that some agents are to accept, decline or do before a deadline. Changed under its channel's lock. */
export interface AsksTable {
  /** The id of the message. */
  id: string;
  channel_id: string;
  /** The seq of the message. */
  seq: number;
  /** The thread whose messages accept it: that of the message, else the one that the message begins. */
  thread_id: string;
  sender_id: string;
  deadline_at: number;
  /** When it is to expire; null when no addressee is open. Retention makes it due earlier than the deadline. */
  due_at: number | null;
}

/** An agent that an ask addresses. The columns from the ask are repeated, so that lists need one index each. */
export interface AskAddresseesTable {
  ask_id: string;
  agent_id: string;
  /** Its place among the addressees. */
  position: number;
  thread_id: string;
  sender_id: string;
  state: AskState;
  note: string | null;
}

export async function createAskTables(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  const id = isSqlite ? sql`text` : sql`text collate "C"`;
  const byKey = isSqlite ? sql`without rowid` : sql``;
  const statements = [
    sql`create table asks (
      id ${id} not null,
      channel_id ${id} not null,
      seq bigint not null,
      thread_id ${id} not null,
      sender_id ${id} not null,
      deadline_at bigint not null,
      due_at bigint,
      constraint asks_key primary key (id)
    ) ${byKey}`,
    sql`create index asks_by_place on asks (channel_id, seq)`,
    sql`create index asks_by_sender on asks (sender_id, id)`,
    sql`create index asks_due on asks (due_at) where due_at is not null`,
    sql`create table ask_addressees (
      ask_id ${id} not null,
      agent_id ${id} not null,
      position integer not null,
      thread_id ${id} not null,
      sender_id ${id} not null,
      state text not null,
      note text,
      constraint ask_addressees_key primary key (ask_id, agent_id)
    ) ${byKey}`,
    sql`create index ask_addressees_by_agent on ask_addressees (agent_id, ask_id)`,
    sql`create index ask_addressees_by_state on ask_addressees (agent_id, state, ask_id)`,
    sql`create index ask_addressees_by_sender on ask_addressees (sender_id, state, ask_id)`,
    sql`create index ask_addressees_by_thread on ask_addressees (thread_id, agent_id, state)`,
  ];
  for (const statement of statements) await statement.execute(db);
}
