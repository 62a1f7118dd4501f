import { execFile, execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { chownSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  freePort,
  startProcess,
  temporaryFolder,
  waitFor,
  type ServerProcess,
} from './processes.ts';

export interface PostgresServer extends AsyncDisposable {
  readonly port: number;
  /** `postgres://hub@127.0.0.1:{port}/hub` */
  readonly url: string;
  /** Runs SQL by psql as the superuser and returns its unaligned output. @param database @default 'hub' */
  query(sql: string, database?: string): string;
  /** SIGQUIT: an immediate shutdown, like a crash. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

function binaries(): string {
  const base = '/usr/lib/postgresql';
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions
    .map((version) => join(base, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')));
  if (found) return found;
  const onPath = (process.env['PATH'] ?? '')
    .split(':')
    .find((folder) => existsSync(join(folder, 'initdb')));
  if (onPath) return onPath;
  throw new Error(
    'PostgreSQL is not installed: "npm test" installs it, or apt-get install postgresql',
  );
}

// initdb and postgres refuse to run as root, so root runs them as the user `postgres`.
function postgresUser(): { uid: number; gid: number } | Record<string, never> {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres']).toString());
  return { uid: id('-u'), gid: id('-g') };
}

const run = promisify(execFile);
const templates = resolve(
  fileURLToPath(import.meta.url),
  '../../../../node_modules/.cache/postgres',
);
const initialize = ['-U', 'hub', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];

/**
 * Returns the folder of a server that has the database `hub`, to be copied: a copy takes a fifth of the time of initdb.
 * The first call creates the folder, and later runs use it again. Its name is a hash of what it was made from.
 */
async function templateCluster(bin: string): Promise<string> {
  const { size, mtimeMs } = statSync(join(bin, 'postgres'));
  const madeFrom = JSON.stringify([bin, size, mtimeMs, initialize, process.getuid?.()]);
  const key = createHash('sha256').update(madeFrom).digest('hex').slice(0, 16);
  const template = join(templates, key);
  if (existsSync(template)) return template;
  await using folder = await temporaryFolder('postgres-template');
  const user = postgresUser();
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder.path, user.uid, user.gid);
  const data = join(folder.path, 'data');
  const options = { ...user, cwd: folder.path };
  execFileSync(join(bin, 'initdb'), ['-D', data, ...initialize], { ...options, stdio: 'pipe' });
  execFileSync(join(bin, 'postgres'), ['--single', '-D', data, 'postgres'], {
    ...options,
    input: 'CREATE DATABASE hub\n',
    stdio: 'pipe',
  });
  // A rename makes the template visible in one step. If several calls run at once, the first template is kept.
  const fresh = `${template}-new-${randomUUID()}`;
  await mkdir(dirname(template), { recursive: true });
  try {
    await run('cp', ['-Rp', data, fresh]);
    renameSync(fresh, template);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(template)) throw error;
  }
  return template;
}

/** Uses a temporary folder, and waits until the server answers. `settings` are options for `postgres -c`. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const bin = binaries();
  const port = await freePort();
  const folder = await temporaryFolder('postgres');
  const user = postgresUser();
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder.path, user.uid, user.gid);
  const data = join(folder.path, 'data');
  const options = { ...user, cwd: folder.path };
  await run('cp', ['-Rp', await templateCluster(bin), data]);
  let server: ServerProcess;
  const psql = (database: string, sql: string) =>
    execFileSync(
      join(bin, 'psql'),
      ['-h', '127.0.0.1', '-p', String(port), '-U', 'hub', '-d', database, '-XAtqc', sql],
      { stdio: 'pipe' },
    )
      .toString()
      .trim();

  async function start() {
    server = startProcess(
      join(bin, 'postgres'),
      [
        '-D',
        data,
        '-p',
        String(port),
        '-k',
        folder.path,
        '-c',
        'listen_addresses=127.0.0.1',
        ...settings.flatMap((setting) => ['-c', setting]),
      ],
      options,
    );
    await waitFor(
      () => {
        try {
          return psql('postgres', 'SELECT 1') === '1';
        } catch {
          return false;
        }
      },
      { what: `postgres on ${port}`, timeoutMs: 20_000, everyMs: 50 },
    );
  }

  await start();
  async function stop() {
    await server.stop('SIGQUIT');
    await folder.remove();
  }

  return {
    port,
    url: `postgres://hub@127.0.0.1:${port}/hub`,
    query: (sql, database = 'hub') => psql(database, sql),
    kill: () => server.stop('SIGQUIT'),
    restart: start,
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
