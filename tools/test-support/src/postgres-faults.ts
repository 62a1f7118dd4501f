import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess, waitFor } from './processes.ts';
import type { PostgresServer } from './postgres-server.ts';

/** The role of {@link createAppRole} as a URL of the server. */
export const appRole = 'app';

/** Makes an ordinary user that owns the database, unlike the superuser, whom no limit binds. Answers its URL. */
export function createAppRole(server: PostgresServer): string {
  server.query(`create role ${appRole} login`);
  server.query(`alter database hub owner to ${appRole}`);
  return server.url.replace('hub@', `${appRole}@`);
}

/** Ends every connection of the ordinary user; it may come again unless it is refused. */
export function endConnections(server: PostgresServer): void {
  server.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${appRole}'`,
    'postgres',
  );
}

/** Holds the locks of a statement such as `select … for update` until the answer is called. Resolves once it has them. */
export async function holdLocks(server: PostgresServer, statement: string): Promise<() => void> {
  const name = `locker-${server.port}`;
  const held = `from pg_stat_activity where application_name = '${name}' and wait_event = 'PgSleep'`;
  startProcess('psql', ['-X', '-d', server.url, '-c', `${statement}; select pg_sleep(60)`], {
    env: { PATH: process.env['PATH'], PGAPPNAME: name },
  });
  await waitFor(() => server.query(`select count(*) ${held}`) === '1', { what: 'the locks' });
  return () => void server.query(`select pg_terminate_backend(pid) ${held}`);
}

/** SIGSTOP for every process of the server, so that open connections are silent too. Returns the thaw. */
export function freezePostgres(server: PostgresServer): () => void {
  const pids = server.query('select pid from pg_stat_activity').split('\n').map(Number);
  const signal = (name: NodeJS.Signals) => {
    for (const pid of pids) {
      try {
        process.kill(pid, name);
      } catch {
        // The one that answered the query has ended.
      }
    }
  };
  server.freeze();
  signal('SIGSTOP');
  return () => {
    signal('SIGCONT');
    server.thaw();
  };
}

/** Crashes the server and starts it as a standby, which answers reads and takes no writes. Resolves with its promotion. */
export async function restartAsStandby(server: PostgresServer): Promise<() => void> {
  const file = join(server.query('show data_directory'), 'standby.signal');
  await server.kill();
  writeFileSync(file, '');
  await server.restart();
  return () => void server.query('select pg_promote()');
}
