import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { createMigrations } from './core/migrations.ts';
import { ChatStoreError } from './errors.ts';
import { parseOptions } from './options.ts';

export interface StoreInspection {
  readonly engine: 'sqlite' | 'postgres';
  readonly schema: {
    /** The database's newest migration; null when no hub has used the database. */
    readonly latest: string | null;
    /** Migrations that the database lacks; a starting hub applies them. */
    readonly pending: readonly string[];
    /** Migrations of a newer release, unknown to this release. */
    readonly newer: readonly string[];
  };
  readonly sizeBytes: number;
  /** Null while migrations are pending. `channels` and `newest` are then null too, and `hubs` is empty. */
  readonly epoch: string | null;
  /** Includes deleted channels. */
  readonly channels: number | null;
  readonly newest: {
    readonly channelId: string;
    readonly seq: number;
    readonly atMs: number;
  } | null;
  /**
   * The number of transactions that began since the oldest open one. Until the oldest one ends, the tail check is
   * delayed. 0 on SQLite.
   */
  readonly transactionLag: number;
  /** Hubs with a beat in the last minute, the latest first, at most 100. */
  readonly hubs: readonly {
    readonly hubId: string;
    readonly lastBeatAgoMs: number;
    readonly isWithoutRedis: boolean;
  }[];
}

type Query = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

const hubsShownMs = 60_000;

/**
 * Changes nothing: creates no file, migrates nothing, takes no lock. Costs a few small queries, and a count of the
 * channels. On PostgreSQL it ends within the timeout. On SQLite, each query waits for a locked file up to the timeout.
 * @throws {ChatStoreError} `invalid_options`, `unavailable`; no message contains a secret
 */
export async function inspectStore(
  url: string,
  { timeoutMs = 2500 }: { readonly timeoutMs?: number } = {},
): Promise<StoreInspection> {
  const { target } = parseOptions({ url });
  try {
    return await (target.engine === 'sqlite'
      ? inspectSqlite(target.path, timeoutMs)
      : inspectPostgres(target.url, timeoutMs));
  } catch (error) {
    if (error instanceof ChatStoreError) throw error;
    // The drivers' messages name hosts, users and files, never passwords.
    const { message, code } = error as NodeJS.ErrnoException;
    const text = message || code || String(error);
    throw new ChatStoreError('unavailable', text, { cause: error });
  }
}

async function inspectSqlite(path: string, timeoutMs: number): Promise<StoreInspection> {
  if (!existsSync(path)) throw new ChatStoreError('unavailable', `there is no file ${path}`);
  const database = new DatabaseSync(path, { readOnly: true, timeout: timeoutMs });
  try {
    const query: Query = async (sql) => database.prepare(sql).all();
    const sizeBytes = [path, `${path}-wal`].reduce(
      (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
    const [table] = await query(
      "select count(*) as n from sqlite_schema where name = 'chat_store_migrations'",
    );
    // On SQLite, beats carry this machine's time.
    return await readAll(query, 'sqlite', Number(table?.n) > 0, sizeBytes, 0, String(Date.now()));
  } finally {
    database.close();
  }
}

async function inspectPostgres(url: string, timeoutMs: number): Promise<StoreInspection> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'openclaw-inspect',
    connectionTimeoutMillis: timeoutMs,
    // The client's own timeout is used, because poolers refuse startup parameters such as statement_timeout.
    query_timeout: timeoutMs,
  });
  // Without a listener, a lost connection would end the process. The waiting query also reports the loss.
  client.on('error', () => undefined);
  const destroy = () =>
    (
      client as unknown as { connection: { stream: { destroy(): void } } }
    ).connection.stream.destroy();
  const deadline = setTimeout(destroy, timeoutMs);
  try {
    await client.connect();
    const query: Query = async (sql) => (await client.query<Record<string, unknown>>(sql)).rows;
    const [facts] = await query(`select
      to_regclass('chat_store_migrations') is not null as has_schema,
      pg_database_size(current_database()) as size,
      pg_snapshot_xmax(pg_current_snapshot())::text::bigint
        - pg_snapshot_xmin(pg_current_snapshot())::text::bigint as lag`);
    const { has_schema: hasSchema, size, lag } = facts ?? {};
    const now = '(extract(epoch from clock_timestamp()) * 1000)::bigint';
    return await readAll(query, 'postgres', hasSchema === true, Number(size), Number(lag), now);
  } finally {
    clearTimeout(deadline);
    // end() would wait for a server that may be frozen.
    destroy();
  }
}

async function readAll(
  query: Query,
  engine: StoreInspection['engine'],
  hasSchema: boolean,
  sizeBytes: number,
  transactionLag: number,
  now: string,
): Promise<StoreInspection> {
  const known = Object.keys(createMigrations(engine));
  if (!hasSchema) {
    const schema = { latest: null, pending: known, newer: [] };
    const nothing = { epoch: null, channels: null, newest: null, hubs: [] };
    return { engine, schema, sizeBytes, transactionLag, ...nothing };
  }
  const migrations = await query('select name from chat_store_migrations order by name');
  const applied = migrations.map(({ name }) => String(name));
  const schema = {
    latest: applied.at(-1) ?? null,
    pending: known.filter((name) => !applied.includes(name)),
    newer: applied.filter((name) => !known.includes(name)),
  };
  // An older schema may lack columns and tables that the queries below read.
  if (schema.pending.length > 0) {
    const nothing = { epoch: null, channels: null, newest: null, hubs: [] };
    return { engine, schema, sizeBytes, transactionLag, ...nothing };
  }
  const [epoch] = await query("select value from meta where name = 'epoch'");
  const [channels] = await query('select count(*) as n from channels');
  const [newest] = await query(
    `select channel_id, seq, timestamp from log
     where mark is not null order by mark desc limit 1`,
  );
  const hubs = await query(
    `select id, ${now} - beat_at as ago, cut_off from hubs
     where beat_at >= ${now} - ${hubsShownMs} order by beat_at desc limit 100`,
  );
  return {
    engine,
    schema,
    sizeBytes,
    transactionLag,
    epoch: epoch === undefined ? null : String(epoch.value),
    channels: Number(channels?.n),
    newest:
      newest === undefined
        ? null
        : {
            channelId: String(newest.channel_id),
            seq: Number(newest.seq),
            atMs: Number(newest.timestamp),
          },
    hubs: hubs.map(({ id, ago, cut_off: cutOff }) => ({
      hubId: String(id),
      lastBeatAgoMs: Math.max(0, Number(ago)),
      isWithoutRedis: Number(cutOff) === 1,
    })),
  };
}
