import { chownSync, existsSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { PostgresServer } from './postgres-server.ts';
import { freePort, startProcess, temporaryFolder, waitFor } from './processes.ts';

export interface PgBouncer extends AsyncDisposable {
  /** `postgres://hub@127.0.0.1:{port}/hub` */
  readonly url: string;
  stop(): Promise<void>;
}

export interface PgBouncerOptions {
  readonly mode: 'session' | 'transaction' | 'statement';
  /** The pool has this many connections to the server. @default 4 */
  readonly poolSize?: number;
  /** @default a free port */
  readonly port?: number;
  readonly settings?: readonly string[];
}

const program = '/usr/sbin/pgbouncer';

export function hasPgBouncer(): boolean {
  return existsSync(program);
}

export async function startPgBouncer(
  server: PostgresServer,
  { mode, poolSize = 4, port: wantedPort, settings = [] }: PgBouncerOptions,
): Promise<PgBouncer> {
  const folder = await temporaryFolder('pgbouncer');
  const port = wantedPort ?? (await freePort());
  const file = join(folder.path, 'pgbouncer.ini');
  writeFileSync(
    file,
    [
      '[databases]',
      // With auth_type any, all clients connect to the server as one user.
      `* = host=127.0.0.1 port=${server.port} user=hub`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = any',
      `pool_mode = ${mode}`,
      `default_pool_size = ${poolSize}`,
      ...settings,
    ].join('\n'),
  );
  // PgBouncer refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres']).toString());
  const user = isRoot ? { uid: id('-u'), gid: id('-g') } : {};
  if (user.uid !== undefined && user.gid !== undefined) {
    for (const path of [folder.path, file]) chownSync(path, user.uid, user.gid);
  }
  const bouncer = startProcess(program, [file], { ...user, cwd: folder.path });
  await waitFor(() => bouncer.output().includes('process up'), {
    what: `PgBouncer: ${bouncer.output()}`,
  });
  async function stop() {
    await bouncer.stop('SIGKILL');
    await folder.remove();
  }
  return { url: `postgres://hub@127.0.0.1:${port}/hub`, stop, [Symbol.asyncDispose]: stop };
}
