import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import {
  newEpochStatements,
  type DatabaseLedger,
  type Maintenance,
} from '@openclaw/chat-store/maintenance';
import { BackupError } from './failure.ts';
import { runProgram, type Program } from './run-program.ts';

const debianPackage = 'postgresql-client';
// Other parameters of the URL are only for node-postgres.
const libpqParameters = {
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  options: 'PGOPTIONS',
  host: 'PGHOST',
} as const;

/** The password is an environment variable, because lists of processes show arguments. */
export function libpqEnvironment(url: string): Record<string, string> {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const env: Record<string, string> = { PGAPPNAME: 'openclaw-backup', PGCONNECT_TIMEOUT: '10' };
  const set = (name: string, value: string) => {
    if (value !== '') env[name] = value;
  };
  set('PGHOST', hostname.replace(/^\[(.*)\]$/, '$1'));
  set('PGPORT', port);
  set('PGUSER', decodeURIComponent(username));
  set('PGPASSWORD', decodeURIComponent(password));
  set('PGDATABASE', decodeURIComponent(pathname.slice(1)));
  for (const [parameter, name] of Object.entries(libpqParameters)) {
    set(name, searchParams.get(parameter) ?? '');
  }
  // no-verify is node-postgres' name for TLS without a check of the certificate.
  if (env['PGSSLMODE'] === 'no-verify') env['PGSSLMODE'] = 'require';
  return env;
}

const psql = (env: Program['env'], ...args: string[]): Program => ({
  command: 'psql',
  args: ['-X', '-q', '-v', 'ON_ERROR_STOP=1', ...args],
  ...(env && { env }),
  debianPackage,
});

async function currentSchema(env: Record<string, string>, signal: AbortSignal): Promise<string> {
  const output = await runProgram(psql(env, '-Atc', 'select quote_ident(current_schema())'), {
    signal,
  });
  const schema = output.trim();
  if (schema === '') throw new BackupError('failed', 'the user of the database has no schema');
  return schema;
}

/**
 * Dumps from one snapshot, in pg_dump's custom format, while hubs write. Resolves with the time of the snapshot and
 * what it holds.
 */
export async function dumpPostgres(
  url: string,
  maintenance: Maintenance,
  to: string,
  signal: AbortSignal,
): Promise<{ takenAtMs: number; ledger: DatabaseLedger }> {
  const env = libpqEnvironment(url);
  const schema = await currentSchema(env, signal);
  return maintenance.withSnapshot(async (snapshotId, ledger) => {
    const takenAtMs = Date.now();
    const args = [
      ...['--format=custom', '--no-owner', '--no-privileges', `--snapshot=${snapshotId}`],
      ...[`--table=${schema}.*`, `--file=${to}`],
    ];
    await runProgram({ command: 'pg_dump', args, env, debianPackage }, { signal });
    return { takenAtMs, ledger };
  });
}

/**
 * Reads the whole dump.
 * @throws {BackupError} `damaged`
 */
export async function checkDump(dump: string, signal: AbortSignal): Promise<void> {
  const program = { command: 'pg_restore', args: ['--file=/dev/null', dump], debianPackage };
  await runProgram(program, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new BackupError('damaged', `the dump cannot be read: ${(error as Error).message}`);
  });
}

// The dump does not name the tables of a later release. Those tables must go too, because the later release's
// migrations would fail on them.
const dropTables = `set client_min_messages = warning;
do $$ declare found record; begin
  for found in select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname = current_schema() and tableowner = current_user
  loop execute 'drop table if exists ' || found.name || ' cascade'; end loop;
end $$;
`;

/**
 * Replaces the tables of the hub's user with the tables of the dump, and begins a new epoch. All changes are in one
 * transaction, so that a failure leaves the database unchanged.
 */
export async function restorePostgres(
  url: string,
  dump: string,
  signal: AbortSignal,
): Promise<void> {
  const env = libpqEnvironment(url);
  const schema = await currentSchema(env, signal);
  const script = spawn('pg_restore', ['--no-owner', '--no-privileges', '--file=-', dump], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  let complaint = '';
  script.stderr.on(
    'data',
    (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2000)),
  );
  const ended = once(script, 'close') as Promise<[number | null]>;
  ended.catch(() => undefined);
  // Only the last line commits. If the input ends before it, psql rolls back.
  async function* statements(): AsyncGenerator<Buffer | string> {
    yield `begin;\n${dropTables}`;
    yield* script.stdout as AsyncIterable<Buffer>;
    const [code] = await ended;
    if (code !== 0) throw new BackupError('failed', 'pg_restore failed');
    yield `\nset search_path to ${schema};\n${newEpochStatements().join(';\n')};\ncommit;\n`;
  }
  try {
    await runProgram(psql(env, '-o', '/dev/null', '-f', '-'), {
      signal,
      input: Readable.from(statements()),
    });
    const [code] = await ended;
    if (code !== 0) throw new BackupError('failed', `pg_restore failed: ${complaint.trim()}`);
  } finally {
    script.kill();
  }
}
