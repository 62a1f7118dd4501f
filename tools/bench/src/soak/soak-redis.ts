import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startRedis, waitFor, type RedisServer } from '@openclaw/test-support';

export interface SoakRedis {
  readonly port: number;
  readonly url: string;
  kill(): Promise<void>;
  /** Starts the server again, empty or with the snapshot. Resolves when it answers PING. */
  restart(from: 'nothing' | 'snapshot'): Promise<void>;
  snapshot(): Promise<void>;
  wipe(): Promise<void>;
  /** The server refuses writes that need memory, until `takeWrites`. */
  fill(): Promise<void>;
  /** The server refuses all writes until `takeWrites`, because it lacks a replica. */
  refuseWrites(): Promise<void>;
  takeWrites(): Promise<void>;
  freeze(): void;
  thaw(): void;
  answers(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSoakRedis(parent: string): Promise<SoakRedis> {
  const folder = join(parent, 'redis');
  await mkdir(folder);
  const dump = join(folder, 'dump.rdb');
  const kept = join(folder, 'kept.rdb');
  const server: RedisServer = await startRedis({ args: ['--dir', folder] });
  const run = async (line: string) => {
    const reply = await server.command(line);
    if (!reply.startsWith('+OK')) throw new Error(`redis answered ${line} with ${reply}`);
  };
  return {
    port: server.port,
    url: server.url,
    kill: () => server.kill(),
    async restart(from) {
      await rm(dump, { force: true });
      if (from === 'snapshot') await copyFile(kept, dump);
      await server.restart();
    },
    async snapshot() {
      await run('SAVE');
      await copyFile(dump, kept);
    },
    wipe: () => run('FLUSHALL'),
    async fill() {
      await run('CONFIG SET maxmemory-policy noeviction');
      await run('CONFIG SET maxmemory 1');
    },
    refuseWrites: () => run('CONFIG SET min-replicas-to-write 1'),
    async takeWrites() {
      await run('CONFIG SET maxmemory 0');
      await run('CONFIG SET min-replicas-to-write 0');
    },
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    async answers() {
      await waitFor(async () => (await server.command('PING').catch(() => '')).includes('PONG'), {
        what: 'redis',
        timeoutMs: 20_000,
        everyMs: 5,
      });
    },
    stop: () => server.stop(),
  };
}
