import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess, temporaryFolder } from '@openclaw/test-support';

const app = resolve(fileURLToPath(import.meta.url), '../../..');

export async function buildPage(): ReturnType<typeof temporaryFolder> {
  const folder = await temporaryFolder('page');
  const vitePackage = createRequire(import.meta.url).resolve('vite/package.json');
  const vite = join(dirname(vitePackage), 'bin/vite.js');
  const args = [vite, 'build', '--outDir', folder.path, '--logLevel', 'warn'];
  const build = startProcess(process.execPath, args, { cwd: app });
  if ((await build.exited) !== 0) throw new Error(`The page was not built:\n${build.output()}`);
  return folder;
}
