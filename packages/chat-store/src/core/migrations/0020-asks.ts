import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf, runAll } from './statements.ts';

/**
 * The first three indexes of `ask_addressees` serve one list of asks each. The last index finds the asks that a message
 * in their thread answers.
 */
export async function addAsks(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { id, clustered } = columnsOf(dialect);
  await runAll(db, [
    sql`create table asks (
      id ${id} not null,
      channel_id ${id} not null,
      seq bigint not null,
      thread_id ${id} not null,
      sender_id ${id} not null,
      deadline_at bigint not null,
      due_at bigint,
      constraint asks_key primary key (id)
    ) ${clustered}`,
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
    ) ${clustered}`,
    sql`create index ask_addressees_by_agent on ask_addressees (agent_id, ask_id)`,
    sql`create index ask_addressees_by_state on ask_addressees (agent_id, state, ask_id)`,
    sql`create index ask_addressees_by_sender on ask_addressees (sender_id, state, ask_id)`,
    sql`create index ask_addressees_by_thread on ask_addressees (thread_id, agent_id, state)`,
  ]);
}
