import { sql } from 'kysely';
import { loadQuestions, questionOf, type LoadedQuestion } from '../questions.ts';
import { listText, mayRead, openChannel, type Read } from './reading.ts';

/**
 * Lists questions of the caller's channels, newest first. For an admin, lists questions of every channel that it may
 * read.
 */
export const listQuestions: Read<'question.list'> = async (db, actor, params, maxBytes) => {
  const { channelId, state, cursor, limit } = params;
  const { agentId, isAdmin, channels } = actor;
  if (channelId !== null) {
    const opened = await openChannel(db, actor, channelId, 'member');
    if (!opened.ok) return opened;
  }
  const conditions = [sql`c.deleted_at is null`];
  if (isAdmin) conditions.push(mayRead(actor));
  if (channelId !== null) conditions.push(sql`q.channel_id = ${channelId}`);
  if (channels) {
    const named = channels.length === 0 ? sql`null` : sql.join([...channels]);
    conditions.push(sql`q.channel_id in (${named})`);
  }
  if (state !== null) conditions.push(sql`q.state = ${state}`);
  if (cursor !== null) conditions.push(sql`q.id < ${cursor}`);
  const ofMember = sql`join members m on m.channel_id = q.channel_id and m.agent_id = ${agentId}`;
  const { rows } = await sql<{ id: string }>`
    select q.id from questions q join channels c on c.id = q.channel_id
      ${isAdmin ? sql`` : ofMember}
    where ${sql.join(conditions, sql` and `)} order by q.id desc limit ${limit + 1}`.execute(db);
  const ids = rows.map(({ id }) => id);
  const questions = await loadQuestions(db, ids);
  const cursorOf = ({ id }: LoadedQuestion) => id;
  return listText('questions', questions, { limit, maxBytes }, questionOf, cursorOf);
};
