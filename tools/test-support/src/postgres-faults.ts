import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess, waitFor } from './processes.ts';
import type { PostgresServer } from './postgres-server.ts';

export const appRole = 'app';

/**
 * Creates a user that owns the database, and returns the user's URL. PostgreSQL applies connection limits to this user,
 * but not to the superuser.
 */
export function createAppRole(server: PostgresServer): string {
  server.query(`create role ${appRole} login`);
  server.query(`alter database hub owner to ${appRole}`);
  return server.url.replace('hub@', `${appRole}@`);
}

/** Ends connections only; {@link appRole} can connect again. */
export function endConnections(server: PostgresServer): void {
  server.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${appRole}'`,
    'postgres',
  );
}

/** Holds the statement's locks in an open transaction. Resolves with a function that ends it. */
export async function holdLocks(server: PostgresServer, statement: string): Promise<() => void> {
  const name = `locker-${server.port}`;
  const held = `from pg_stat_activity where application_name = '${name}' and wait_event = 'PgSleep'`;
  startProcess('psql', ['-X', '-d', server.url, '-c', `${statement}; select pg_sleep(60)`], {
    env: { PATH: process.env['PATH'], PGAPPNAME: name },
  });
  await waitFor(() => server.query(`select count(*) ${held}`) === '1', { what: 'the locks' });
  return () => void server.query(`select pg_terminate_backend(pid) ${held}`);
}

/**
 * Sends SIGSTOP to every process of the server, so that open connections freeze too. Returns a function that resumes
 * them.
 */
export function freezePostgres(server: PostgresServer): () => void {
  const pids = server.query('select pid from pg_stat_activity').split('\n').map(Number);
  const signal = (name: NodeJS.Signals) => {
    for (const pid of pids) {
      try {
        process.kill(pid, name);
      } catch {
        // The query for the pids also lists its own backend, which has already ended.
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

/** A standby refuses writes. Resolves with a function that promotes it. */
export async function restartAsStandby(server: PostgresServer): Promise<() => void> {
  const file = join(server.query('show data_directory'), 'standby.signal');
  await server.kill();
  writeFileSync(file, '');
  await server.restart();
  return () => void server.query('select pg_promote()');
}
