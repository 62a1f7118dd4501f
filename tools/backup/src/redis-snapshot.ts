import { chmod } from 'node:fs/promises';
import type { RedisConnection } from '@openclaw/redis-client';
import { BackupError } from './failure.ts';
import { runProgram } from './run-program.ts';

const debianPackage = 'redis-tools';

export interface SnapshotUser {
  readonly user: string | undefined;
  readonly password: string | undefined;
}

interface Server {
  readonly host: string;
  readonly port: number;
}

function partsOf(connection: RedisConnection) {
  const { host = 'localhost', port = 6379, username, password, tls } = connection;
  return { host, port, username, password, tls: tls !== undefined && tls !== false };
}

/**
 * Requests an RDB file as a replica does, and checks the file. The source is Redis, or the master that a sentinel
 * names.
 */
export async function snapshotRedis(
  connection: RedisConnection | null,
  { user, password }: SnapshotUser,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  if (connection === null) throw new BackupError('usage', '--redis: no Redis is configured');
  if (connection.cluster) {
    throw new BackupError(
      'usage',
      '--redis: back up the nodes of a Cluster one by one, see docs/backup.md',
    );
  }
  const own = partsOf(connection);
  const secret = password ?? own.password;
  const env: Record<string, string> = secret === undefined ? {} : { REDISCLI_AUTH: secret };
  const name = user ?? own.username;
  const run = ({ host, port }: Server, isMaster: boolean, ...args: string[]) =>
    runProgram(
      {
        command: 'redis-cli',
        args: [
          ...['-h', host, '-p', String(port), '--no-auth-warning'],
          ...(own.tls ? ['--tls'] : []),
          ...(isMaster && name !== undefined ? ['--user', name] : []),
          ...args,
        ],
        env: isMaster ? env : {},
        debianPackage,
      },
      { signal },
    );
  const master = connection.sentinels
    ? await masterOf(connection.sentinels, (sentinel) =>
        run(
          sentinel,
          false,
          'SENTINEL',
          'get-master-addr-by-name',
          connection.sentinelName ?? 'openclaw',
        ),
      )
    : own;
  await run(master, true, '--rdb', to);
  await chmod(to, 0o600);
  await runProgram({ command: 'redis-check-rdb', args: [to], debianPackage }, { signal });
}

async function masterOf(
  sentinels: readonly Server[],
  ask: (sentinel: Server) => Promise<string>,
): Promise<Server> {
  for (const sentinel of sentinels) {
    const [host, port] = (await ask(sentinel).catch(() => '')).trim().split('\n');
    if (host && Number(port) > 0) return { host, port: Number(port) };
  }
  throw new BackupError('failed', '--redis: no sentinel names a master');
}
