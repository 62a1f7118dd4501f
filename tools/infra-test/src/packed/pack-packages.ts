import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../repository.ts';
import { npmEnvironment } from './toolchains.ts';

const run = promisify(execFile);

export interface PackedPackage {
  readonly file: string;
  readonly integrity: string;
  readonly manifest: { readonly name: string; readonly version: string };
}

/**
 * Each package becomes a tarball in `target`, as for `npm publish`. A build takes up to a minute; Nx keeps its
 * result.
 */
export async function packPackages(
  folders: readonly string[],
  target: string,
): Promise<PackedPackage[]> {
  const options = {
    cwd: root,
    env: { ...npmEnvironment(), NX_DAEMON: 'false' },
    maxBuffer: 16 * 1_048_576,
  };
  const build = ['run-many', '-t', 'build', '-p', folders.join(','), '--outputStyle=static'];
  await run(join(root, 'node_modules/.bin/nx'), build, options);
  const workspaces = folders.map((folder) => `--workspace=${folder}`);
  const pack = ['pack', ...workspaces, '--json', '--pack-destination', target];
  const { stdout } = await run('npm', pack, options);
  const packed = JSON.parse(stdout) as { filename: string; integrity: string }[];
  return Promise.all(
    packed.map(async ({ filename, integrity }) => {
      const file = join(target, filename);
      const inside = await run('tar', ['-xzOf', file, 'package/package.json']);
      const manifest = JSON.parse(inside.stdout) as PackedPackage['manifest'];
      return { file, integrity, manifest };
    }),
  );
}
