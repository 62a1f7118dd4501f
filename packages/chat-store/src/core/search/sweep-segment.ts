import { sql, type Kysely } from 'kysely';
import type { Engine } from '../engine.ts';
import type { Tables } from '../tables.ts';
import {
  addDoc,
  addStored,
  emptySet,
  encodeSet,
  intersect,
  isWithin,
  segmentDocs,
  type DocSet,
} from './posting-list.ts';
import { insertPostings } from './postings.ts';

/** One call merges at most this many postings, so that no commit waits long. A term with more is merged whole. */
const rowsMax = 1_000;

/**
 * Merges some postings of a segment and removes documents that are gone, so that no word of a deleted message stays.
 * Returns whether there is more. Call it with the lock of the feed.
 */
export async function sweepSegment(engine: Engine, db: Kysely<Tables>): Promise<boolean> {
  // A sweep that has begun is always finished first. Half of the new sweeps take the newest segment, which has the most
  // rows to merge. Edits may queue that segment repeatedly, so the other half take a random one.
  const isAny = Math.random() < 0.5;
  const found = await db
    .selectFrom('search_segments')
    .selectAll()
    // A literal, so that the planner can use the partial index of segments with work.
    .where('work', '>', sql.lit(0))
    .orderBy(sql`case when work_after = '' then 1 else 0 end`)
    .orderBy(isAny ? sql`random()` : sql`segment desc`)
    .limit(1)
    .executeTakeFirst();
  if (!found) return false;
  const { segment, work, work_after } = found;
  await readInOrder(db, engine);
  const { rows, isLast } = await nextPostings(db, segment, work_after);
  if (work_after === '') await removeOrphans(db, segment);
  const present = await presentDocs(engine, db, segment);
  const byTerm = new Map<string, Uint8Array[]>();
  for (const { term, docs } of rows) {
    const parts = byTerm.get(term);
    if (parts) parts.push(docs);
    else byTerm.set(term, [docs]);
  }
  const merged = new Map<string, Uint8Array>();
  const replaced: string[] = [];
  for (const [term, parts] of byTerm) {
    const [only] = parts;
    if (only && parts.length === 1 && isWithin(only, present)) continue;
    const set = emptySet();
    for (const docs of parts) addStored(set, docs);
    replaced.push(term);
    if (intersect(set, present)) merged.set(term, encodeSet(set));
  }
  if (replaced.length > 0) {
    await db
      .deleteFrom('search_postings')
      .where('segment', '=', segment)
      .where('term', 'in', replaced)
      .execute();
    await insertPostings(db, engine.dialect, new Map([[segment, merged]]), 0);
  }
  const last = rows.at(-1)?.term ?? work_after;
  const next = isLast ? { work: work - 1, work_after: '' } : { work_after: last };
  await db.updateTable('search_segments').set(next).where('segment', '=', segment).execute();
  return true;
}

/**
 * Makes PostgreSQL read terms in the order of the key. Otherwise, with outdated statistics, it would sort all terms of
 * the segment for each piece, and time out.
 */
async function readInOrder(db: Kysely<Tables>, { dialect }: Engine): Promise<void> {
  if (dialect === 'sqlite') return;
  await sql`select set_config(name, 'off', true)
    from unnest(array['enable_bitmapscan', 'enable_sort']) as s(name)`.execute(db);
}

async function nextPostings(db: Kysely<Tables>, segment: number, after: string) {
  const postings = db
    .selectFrom('search_postings')
    .select(['term', 'docs'])
    .where('segment', '=', segment);
  const rows = await postings
    .where('term', '>', after)
    .orderBy('term')
    .limit(rowsMax + 1)
    .execute();
  if (rows.length <= rowsMax) return { rows, isLast: true };
  const cut = rows.at(-1)?.term ?? '';
  const whole = rows.filter(({ term }) => term !== cut);
  if (whole.length > 0) return { rows: whole, isLast: false };
  return { rows: await postings.where('term', '=', cut).execute(), isLast: false };
}

function within(segment: number) {
  const from = segment * segmentDocs;
  return sql<boolean>`doc >= ${from} and doc < ${from + segmentDocs}`;
}

async function removeOrphans(db: Kysely<Tables>, segment: number): Promise<void> {
  await sql`delete from search_docs where ${within(segment)} and not exists (
    select 1 from messages m where m.channel_id = search_docs.channel_id
      and m.seq = search_docs.seq and m.deleted_at is null)`.execute(db);
}

async function presentDocs(
  { dialect }: Engine,
  db: Kysely<Tables>,
  segment: number,
): Promise<DocSet> {
  // The query returns all documents as one text, which is cheaper than thousands of rows.
  const list = sql.raw(dialect === 'sqlite' ? 'json_group_array(doc)' : 'json_agg(doc)::text');
  const { rows } = await sql<{ docs: string | null }>`
    select ${list} as docs from search_docs where ${within(segment)}`.execute(db);
  const present = emptySet();
  for (const doc of JSON.parse(rows[0]?.docs ?? '[]') as number[]) addDoc(present, doc);
  return present;
}
