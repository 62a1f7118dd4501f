import type { Question } from '@openclaw/protocol';
import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { QuestionAnswersTable, QuestionsTable, Tables } from './tables.ts';

export interface LoadedQuestion extends QuestionsTable {
  readonly answers: readonly QuestionAnswersTable[];
}

/** Loads questions in the order of `ids`, without those that do not exist. */
export async function loadQuestions(
  db: Kysely<Tables>,
  ids: readonly string[],
): Promise<LoadedQuestion[]> {
  if (ids.length === 0) return [];
  const questions = await db.selectFrom('questions').selectAll().where('id', 'in', ids).execute();
  const rows = await db
    .selectFrom('question_answers')
    .selectAll()
    .where('question_id', 'in', ids)
    .orderBy('at')
    .orderBy('agent_id')
    .execute();
  const byId = new Map(questions.map((one) => [one.id, { ...one, answers: [] as typeof rows }]));
  for (const row of rows) byId.get(row.question_id)?.answers.push(row);
  return ids.flatMap((id) => byId.get(id) ?? []);
}

export function questionOf(row: LoadedQuestion): Question {
  return {
    questionId: row.id,
    channelId: row.channel_id,
    threadId: row.thread_id,
    openedBy: row.opened_by,
    title: row.title,
    options: optionsOf(row),
    responders: respondersOf(row),
    quorum: row.quorum,
    expiresMs: row.expires_at,
    state: row.state,
    optionId: row.option_id,
    text: row.text,
    answers: row.answers.map(({ agent_id, option_id, text, at }) => ({
      ...{ agentId: agent_id, optionId: option_id, text, atMs: at },
    })),
  };
}

export function optionsOf({ options }: Pick<QuestionsTable, 'options'>): Question['options'] {
  return JSON.parse(options) as Question['options'];
}

export function respondersOf({
  responders,
}: Pick<QuestionsTable, 'responders'>): Question['responders'] {
  return responders === null ? null : (JSON.parse(responders) as string[]);
}

/** Removes questions with their answers. `ids` is a sub-select. */
export async function removeQuestions(
  db: Kysely<Tables>,
  ids: RawBuilder<unknown>,
): Promise<bigint> {
  await sql`delete from question_answers where question_id in ${ids}`.execute(db);
  const { numAffectedRows = 0n } = await sql`delete from questions where id in ${ids}`.execute(db);
  return numAffectedRows;
}

/**
 * Empties the texts of an erased agent in the questions of a channel. Replaces the agent's id by the pseudonym, if
 * there is one. Questions that the agent opened lose title and labels.
 */
export async function eraseFromQuestions(
  db: Kysely<Tables>,
  channelId: string,
  agentId: string,
  pseudonym: string | null,
): Promise<void> {
  const inChannel = sql`question_id in (select id from questions where channel_id = ${channelId})`;
  const own = sql`agent_id = ${agentId} and ${inChannel}`;
  await sql`update questions set text = null where channel_id = ${channelId} and text is not null
    and exists (select 1 from question_answers a where a.question_id = questions.id
      and a.agent_id = ${agentId} and a.text = questions.text)`.execute(db);
  await sql`update question_answers set text = null where ${own} and text is not null`.execute(db);
  const named = await db
    .selectFrom('questions')
    .select(['id', 'opened_by', 'title', 'options', 'responders'])
    .where('channel_id', '=', channelId)
    .where((eb) =>
      eb.or([
        eb('opened_by', '=', agentId),
        eb('responders', 'like', `%"${agentId.replaceAll(/[%_\\]/g, '_')}"%`),
      ]),
    )
    .execute();
  const renamed = (id: string) => (id === agentId ? (pseudonym ?? id) : id);
  for (const { id, opened_by, title, options, responders } of named) {
    const isOpener = opened_by === agentId;
    const emptied = optionsOf({ options }).map((option) => ({ ...option, label: '' }));
    const ids = respondersOf({ responders })?.map(renamed) ?? null;
    await db
      .updateTable('questions')
      .set({
        opened_by: renamed(opened_by),
        title: isOpener ? '' : title,
        options: isOpener ? JSON.stringify(emptied) : options,
        responders: ids && JSON.stringify([...new Set(ids)]),
      })
      .where('id', '=', id)
      .execute();
  }
  if (pseudonym === null) return;
  // An earlier erasure may have left an older answer under the pseudonym. The newer answer replaces it.
  await sql`delete from question_answers where agent_id = ${pseudonym} and ${inChannel}
    and question_id in (select question_id from question_answers where agent_id = ${agentId})`.execute(
    db,
  );
  await sql`update question_answers set agent_id = ${pseudonym} where ${own}`.execute(db);
}
