import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { runBlock, type BlockRun, type BlockServers } from '../run-block.ts';
import { npmEnvironment } from './toolchains.ts';

const run = promisify(execFile);

/** The project is a folder outside of the repository, in which a user follows the first lines of a README. */
export interface UserProject {
  run(code: string, options: RunOptions): Promise<BlockRun>;
  /** Returns the beginning of the compiler's output, or an empty text if there are no errors. */
  check(files: Readonly<Record<string, string>>, options: CheckOptions): Promise<string>;
}

interface RunOptions {
  readonly extension: '.mjs' | '.cjs';
  readonly node: string;
  readonly servers: BlockServers;
}

interface CheckOptions {
  readonly tsc: string;
  /** @default nodenext */
  readonly module?: 'nodenext' | 'node16';
  /** Without this folder the project has no `@types/node`. */
  readonly nodeTypes?: string;
  /** Trusts the declarations of all packages. @default false */
  readonly skipLibCheck?: boolean;
}

/**
 * Runs a README's `npm install` line with the given Node. Fails if a package or a dependency does not support this
 * Node.
 */
export async function createUserProject(
  folder: string,
  options: { readonly installLine: string; readonly registryUrl: string; readonly node: string },
): Promise<UserProject> {
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  await writeFile(join(folder, '.npmrc'), `@openclaw:registry=${options.registryUrl}\n`);
  const env = npmEnvironment();
  await run('sh', ['-c', options.installLine], {
    cwd: folder,
    env: {
      ...env,
      npm_config_engine_strict: 'true',
      PATH: [dirname(options.node), env['PATH']].join(delimiter),
    },
  });

  let folders = 0;
  async function writeFiles(files: Readonly<Record<string, string>>): Promise<string> {
    folders += 1;
    const own = join(folder, `program-${folders}`);
    await mkdir(own);
    for (const [name, text] of Object.entries(files)) await writeFile(join(own, name), text);
    return own;
  }

  return {
    async run(code, { extension, node, servers }) {
      const name = `block${extension}`;
      const own = await writeFiles({ [name]: code });
      return runBlock(join(own, name), { cwd: own, servers, node });
    },
    async check(files, { tsc, module = 'nodenext', nodeTypes, skipLibCheck = false }) {
      const types = nodeTypes === undefined ? {} : { types: ['node'], typeRoots: [nodeTypes] };
      const compilerOptions = { ...strictOptions, ...types, module, skipLibCheck };
      const config = JSON.stringify({ compilerOptions, files: Object.keys(files) });
      const own = await writeFiles({ ...files, 'tsconfig.json': config });
      return run(process.execPath, [tsc, '--project', own], {
        cwd: own,
        maxBuffer: 64 * 1_048_576,
      }).then(
        () => '',
        (error: Error & { stdout?: string }) => {
          if (!error.stdout) throw error;
          return error.stdout.slice(0, 4_096);
        },
      );
    },
  };
}

/** These are the strict options of `tsc --init`, for JavaScript too. */
const strictOptions = {
  target: 'es2023',
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  allowJs: true,
  checkJs: true,
  noEmit: true,
};
