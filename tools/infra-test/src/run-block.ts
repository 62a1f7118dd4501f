import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { startHub, startRedis } from '@openclaw/test-support';

const preload = join(import.meta.dirname, 'default-ports.mjs');

export interface BlockServers extends AsyncDisposable {
  /** The key is the port that the READMEs name, and the value is the server's port. */
  readonly ports: Readonly<Record<string, number>>;
}

/** The hub does not use this Redis. */
export async function startBlockServers(): Promise<BlockServers> {
  const [redis, hub] = await Promise.all([startRedis(), startHub()]);
  return {
    ports: { 6379: redis.port, 8080: hub.port },
    async [Symbol.asyncDispose]() {
      await Promise.all([hub.stop(), redis.stop()]);
    },
  };
}

export interface BlockRun {
  readonly exit: number | 'killed';
  readonly stdout: string;
  /** Omits Node's warning that `node:sqlite` is experimental. */
  readonly stderr: string;
}

/** Connections of the file to the default ports of Redis and the hub go to the test's servers. */
export function runBlock(
  file: string,
  options: {
    readonly cwd: string;
    readonly servers: Pick<BlockServers, 'ports'>;
    /** @default this process' Node */
    readonly node?: string;
    readonly flags?: readonly string[];
    /** @default 10000 */
    readonly endsWithinMs?: number;
  },
): Promise<BlockRun> {
  const { cwd, servers, node = process.execPath, flags = [], endsWithinMs = 10_000 } = options;
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, DEFAULT_PORTS: JSON.stringify(servers.ports) };
  return new Promise((resolve, reject) => {
    execFile(
      node,
      [...flags, '--import', preload, file],
      { cwd, env, timeout: endsWithinMs, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        const output = { stdout, stderr: stderr.replace(sqliteNotice, '') };
        if (error === null) resolve({ exit: 0, ...output });
        else if (error.killed) resolve({ exit: 'killed', ...output });
        else if (typeof error.code === 'number') resolve({ exit: error.code, ...output });
        else reject(new Error(`${node} did not run ${file}`, { cause: error }));
      },
    );
  });
}

const sqliteNotice = /^\(node:\d+\) ExperimentalWarning: SQLite .*\n\(Use `node .*\n/m;
