import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache-folder.ts';

const version = '6.9.1';
const execute = promisify(execFile);

export const centrifugoProgram = join(cacheFolder, `centrifugo-${version}`);

/** Builds Centrifugo with Go, once, in about four minutes on two cores. Returns the reason of a failure, else null. */
export async function installCentrifugo(tell: (line: string) => void): Promise<string | null> {
  if (existsSync(centrifugoProgram)) return null;
  const goVersion = await execute('go', ['version']).catch(() => null);
  if (goVersion === null) return 'Go, which builds it, is not installed';
  tell(`building Centrifugo ${version}, once: about four minutes on two cores`);
  const fresh = join(cacheFolder, `new-${process.pid}`);
  try {
    await execute('go', ['install', `github.com/centrifugal/centrifugo/v6@v${version}`], {
      env: { ...process.env, GOBIN: fresh },
    });
    await mkdir(cacheFolder, { recursive: true });
    await rename(join(fresh, 'centrifugo'), centrifugoProgram);
    return null;
  } catch (error) {
    return (error as Error).message.trim().split('\n').at(-1) ?? 'the build failed';
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}
