import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll } from '@jest/globals';
import { startPostgres, temporaryFolder } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import type { StoreCore } from '../core/store-core.ts';
import { openPostgresCore } from '../postgres/postgres-core.ts';
import { openSqliteCore } from '../sqlite/sqlite-core.ts';

export interface OpenedDatabase {
  readonly url: string;
  open(): Promise<StoreCore>;
  run(sql: string): void;
  count(sql: string): number;
  /** The bytes of all tables and indexes, after the work that the engine does in the background, such as a vacuum. */
  bytes(): number;
  stop(): Promise<void>;
}

export function openBeforeAll(
  start: () => Promise<OpenedDatabase>,
  use: (opened: { readonly database: OpenedDatabase; readonly core: StoreCore }) => void,
): void {
  const suite = suiteScope();
  beforeAll(async () => {
    const database = await start();
    suite.defer(() => database.stop());
    const core = await database.open();
    suite.defer(() => core.close());
    use({ database, core });
  });
}

const timeouts = { lockTimeoutMs: 2000, timeoutMs: 2900 };

function throwFault(fault: string): never {
  throw new Error(fault);
}

export async function openSqlite(): Promise<OpenedDatabase> {
  const folder = await temporaryFolder('store');
  const path = join(folder.path, 'hub.sqlite');
  const using = <T>(work: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(path);
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  const count = (sql: string) =>
    using((database) => Number(Object.values(database.prepare(sql).get() ?? {})[0]));
  return {
    url: `sqlite:${path}`,
    open: () => openSqliteCore({ path, ...timeouts }, throwFault),
    run: (sql) => using((database) => database.exec(sql)),
    count,
    bytes: () =>
      count('select page_count * page_size from pragma_page_count(), pragma_page_size()'),
    stop: () => folder.remove(),
  };
}

export async function openPostgres(): Promise<OpenedDatabase> {
  const server = await startPostgres();
  return {
    url: server.url,
    open: () => openPostgresCore({ url: server.url, poolSize: 2, ...timeouts }, throwFault),
    run: (sql) => void server.query(sql),
    count: (sql) => Number(server.query(sql)),
    bytes() {
      // Autovacuum does this in production, once two thousand rows and 2% of a table are deleted.
      server.query('vacuum');
      return Number(
        server.query(`select sum(pg_total_relation_size(oid)) from pg_class
          where relkind = 'r' and relnamespace = 'public'::regnamespace`),
      );
    },
    stop: () => server.stop(),
  };
}
