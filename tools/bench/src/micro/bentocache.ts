import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { cacheFolder } from '../compare/peers/cache-folder.ts';

const execute = promisify(execFile);
const version = '1.6.1';
/** This is the newest ioredis of the major version that bentocache supports. */
const ioredisVersion = '5.11.1';

export interface Bento {
  getOrSet<T>(options: {
    readonly key: string;
    readonly ttl: string;
    readonly factory: () => Promise<T>;
  }): Promise<T>;
  disconnectAll(): Promise<void>;
}

interface StoreBuilder {
  useL1Layer(driver: unknown): StoreBuilder;
  useL2Layer(driver: unknown): StoreBuilder;
}
interface BentoModule {
  readonly BentoCache: new (options: {
    readonly default: string;
    readonly stores: Readonly<Record<string, StoreBuilder>>;
  }) => Bento;
  readonly bentostore: () => StoreBuilder;
}

/**
 * With `hasMemory`, puts memory in front of Redis. bentocache needs an older ioredis than this workspace has. So npm
 * installs bentocache with that ioredis once, into a cache folder outside the tree. Returns the reason of a failure.
 */
export async function createBento(
  redis: { readonly host: string; readonly port: number },
  { hasMemory }: { readonly hasMemory: boolean },
): Promise<Bento | string> {
  const folder = join(cacheFolder, `bentocache-${version}`);
  const anchor = join(folder, 'package.json');
  if (!existsSync(join(folder, 'node_modules', 'bentocache'))) {
    await mkdir(folder, { recursive: true });
    const packages = [`bentocache@${version}`, `ioredis@${ioredisVersion}`];
    const options = ['--prefix', folder, '--no-fund', '--no-audit', '--loglevel=error'];
    const failure = await execute('npm', ['install', ...options, ...packages]).then(
      () => null,
      (error: Error) => error.message.split('\n')[0] ?? 'npm failed',
    );
    if (failure !== null) return `bentocache could not be installed: ${failure}`;
  }
  const resolve = (name: string) => pathToFileURL(createRequire(anchor).resolve(name)).href;
  const { BentoCache, bentostore } = (await import(resolve('bentocache'))) as BentoModule;
  const { redisDriver } = (await import(resolve('bentocache/drivers/redis'))) as {
    redisDriver: (options: { connection: object }) => unknown;
  };
  const { memoryDriver } = (await import(resolve('bentocache/drivers/memory'))) as {
    memoryDriver: (options: object) => unknown;
  };
  const store = hasMemory ? bentostore().useL1Layer(memoryDriver({})) : bentostore();
  return new BentoCache({
    default: 'chat',
    stores: { chat: store.useL2Layer(redisDriver({ connection: redis })) },
  });
}
