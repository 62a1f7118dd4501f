import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import type { Tables } from '../tables.ts';

export type Postings = ReadonlyMap<number, ReadonlyMap<string, Uint8Array>>;

export async function insertPostings(
  db: Kysely<Tables>,
  dialect: Dialect,
  postings: Postings,
  part: number,
): Promise<void> {
  const [each, bytesOf] =
    dialect === 'sqlite'
      ? [sql`json_each`, sql`unhex(value)`]
      : [sql`json_each_text`, sql`decode(value, 'hex')`];
  for (const [segment, terms] of postings) {
    const hex = [...terms].map(([term, { buffer, byteOffset, byteLength }]) => {
      return [term, Buffer.from(buffer, byteOffset, byteLength).toString('hex')] as const;
    });
    await sql`insert into search_postings (segment, term, part, docs)
      select cast(${segment} as bigint), key, cast(${part} as bigint), ${bytesOf}
      from ${each}(${JSON.stringify(Object.fromEntries(hex))})`.execute(db);
  }
}

/** Removes at most `most` documents of the channel. Returns true if the channel may have more. */
export async function removeDocsOf(
  db: Kysely<Tables>,
  channelId: string,
  most: number,
): Promise<boolean> {
  const docs = await db
    .selectFrom('search_docs')
    .select('doc')
    .where('channel_id', '=', channelId)
    .orderBy('seq')
    .limit(most)
    .execute();
  await removeDocs(
    db,
    docs.map(({ doc }) => doc),
  );
  return docs.length === most;
}

export async function removeDocs(db: Kysely<Tables>, docs: readonly number[]): Promise<void> {
  if (docs.length === 0) return;
  await sweepSegmentsOf(db, sql`doc in (${sql.join([...docs])})`);
  await db
    .deleteFrom('search_docs')
    .where('doc', 'in', [...docs])
    .execute();
}

/**
 * Marks the segments of the documents for a sweep, so that no posting keeps a word of a removed document. Call it
 * before the documents are deleted.
 */
export async function sweepSegmentsOf(
  db: Kysely<Tables>,
  docs: ReturnType<typeof sql>,
): Promise<void> {
  await sql`update search_segments set work = case when work_after = '' then 1 else 2 end
    where segment in (select doc / 4096 from search_docs where ${docs})`.execute(db);
}
