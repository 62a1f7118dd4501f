import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf, runAll } from './statements.ts';

export async function addQuestions(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { id, clustered } = columnsOf(dialect);
  await runAll(db, [
    sql`create table questions (
      id ${id} not null,
      channel_id ${id} not null,
      seq bigint not null,
      thread_id ${id},
      opened_by ${id} not null,
      title text not null,
      options text not null,
      responders text,
      quorum integer not null,
      expires_at bigint,
      due_at bigint,
      state text not null,
      option_id ${id},
      text text,
      constraint questions_key primary key (id)
    ) ${clustered}`,
    sql`create index questions_by_place on questions (channel_id, seq)`,
    sql`create index questions_by_channel on questions (channel_id, id)`,
    sql`create index questions_by_state on questions (channel_id, state, id)`,
    sql`create index questions_due on questions (due_at) where due_at is not null`,
    sql`create table question_answers (
      question_id ${id} not null,
      agent_id ${id} not null,
      option_id ${id},
      text text,
      at bigint not null,
      constraint question_answers_key primary key (question_id, agent_id)
    ) ${clustered}`,
  ]);
}
