import { sql, type Kysely } from 'kysely';
import type { Command, Expiry } from '../commands.ts';
import type { Engine } from './engine.ts';
import type { Tables } from './tables.ts';

const dueMax = 1_000;

/** Finds the asks and then the questions that are due by the database's time. Both lists have the earliest first. */
export async function findDue({ db, sql: { now } }: Engine): Promise<Expiry[]> {
  // PostgreSQL's clock is a volatile function, so no index serves a comparison with it. The sub-select makes the clock
  // a value.
  const dueIn = (kind: Expiry['kind']) =>
    sql`select * from (select ${sql.lit(kind)} as kind, id, channel_id, due_at
      from ${sql.table(`${kind}s`)} where due_at <= (select ${now()})
      order by due_at limit ${sql.lit(dueMax)}) as ${sql.ref(kind)}`;
  const { rows } = await sql<{ kind: Expiry['kind']; id: string; channel_id: string }>`
    ${dueIn('ask')} union all ${dueIn('question')}`.execute(db);
  return rows.map(({ kind, id, channel_id }) => ({ kind, id, channelId: channel_id }));
}

/**
 * Sets the open asks and questions with a seq below `end` to be due now, so that they expire before they are trimmed.
 * Returns their lowest seq, or Infinity if there are none.
 */
export async function endOpenBefore(
  db: Kysely<Tables>,
  channelId: string,
  end: number,
): Promise<number> {
  let first = Infinity;
  for (const [table, isOpen] of [
    ['asks', sql`due_at is not null`],
    ['questions', sql`state = 'open'`],
  ] as const) {
    const open = sql`channel_id = ${channelId} and seq < ${end} and ${isOpen}`;
    const { rows } = await sql<{ seq: number | null }>`
      select min(seq) as seq from ${sql.table(table)} where ${open}`.execute(db);
    const seq = rows[0]?.seq ?? null;
    if (seq === null) continue;
    first = Math.min(first, seq);
    await sql`update ${sql.table(table)} set due_at = 0 where ${open}`.execute(db);
  }
  return first;
}

/**
 * Adds the channel to each command that names an ask or question by its id. Needs no lock, because asks and questions
 * never change their channel.
 */
export function placeCommands(engine: Engine, commands: readonly Command[]): Promise<Command[]> {
  const askIds = commands.flatMap(({ params }) => ('askId' in params ? params.askId : []));
  const questionIds = commands.flatMap(({ params }) =>
    'questionId' in params ? params.questionId : [],
  );
  return engine.beforeGroup(async (db) => {
    const find = async (table: 'asks' | 'questions', ids: readonly string[]) =>
      ids.length === 0
        ? []
        : db.selectFrom(table).select(['id', 'channel_id']).where('id', 'in', ids).execute();
    const found = [...(await find('asks', askIds)), ...(await find('questions', questionIds))];
    const channels = new Map(found.map(({ id, channel_id }) => [id, channel_id]));
    return commands.map((command) => {
      const { params } = command;
      const id = 'askId' in params ? params.askId : 'questionId' in params && params.questionId;
      const channelId = id ? channels.get(id) : undefined;
      return channelId === undefined ? command : ({ ...command, channelId } as Command);
    });
  });
}
