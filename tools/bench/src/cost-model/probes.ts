import { DatabaseSync } from 'node:sqlite';
import type { PostgresServer, RedisServer } from '@openclaw/test-support';

export interface RedisCounters {
  /** Counts calls of each command, also inside scripts. */
  readonly calls: ReadonlyMap<string, number>;
  readonly outputBytes: number;
  readonly usedBytes: number;
  readonly cpuMs: number;
}

export async function redisCounters(redis: Pick<RedisServer, 'command'>): Promise<RedisCounters> {
  const text = await redis.command('INFO everything');
  const field = (name: string) =>
    Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1] ?? NaN);
  const calls = [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(
    ([, name = '', count]) => [name, Number(count)] as const,
  );
  return {
    calls: new Map(calls),
    outputBytes: field('total_net_output_bytes'),
    usedBytes: field('used_memory'),
    cpuMs: 1_000 * (field('used_cpu_user') + field('used_cpu_sys')),
  };
}

/** Includes the content of the write-ahead log. */
export function sqliteBytes(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const row = database
      .prepare(
        'select (select page_count from pragma_page_count) - (select freelist_count from pragma_freelist_count) as pages, (select page_size from pragma_page_size) as bytes',
      )
      .get() as { readonly pages: number; readonly bytes: number };
    return row.pages * row.bytes;
  } finally {
    database.close();
  }
}

export function postgresBytes(postgres: Pick<PostgresServer, 'query'>): number {
  return Number(
    postgres.query(
      "select sum(pg_total_relation_size(c.oid)) from pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace",
    ),
  );
}
