// Builds the web UI (apps/web) if it is missing or its sources changed. This file must be plain JavaScript for Node
// 20.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join, relative, resolve } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { hashOfSources } from './source-hash.mjs';

const workspace = resolve(fileURLToPath(import.meta.url), '../../..');
export const pageSources = [
  'apps/web',
  'packages/client/src',
  'packages/protocol/src',
  'tsconfig.base.json',
  'package-lock.json',
];

function buildError(output) {
  const lines = output.split('\n').map((line) => line.trim());
  const start = lines.findIndex((line) => /^error during build/i.test(line)) + 1;
  const relevant = lines.slice(start).filter((line) => line !== '' && !/build failed/i.test(line));
  return relevant.slice(0, 2).join(' ').slice(0, 300) || 'the build printed nothing';
}

/**
 * Builds the web UI into the folder, which must exist. Kills a build that takes longer than `timeoutMs`.
 * @throws {Error} with the build's error in one line
 */
export function runVite({ root = workspace, folder, showOutput = false, timeoutMs = 300_000 }) {
  const web = join(root, 'apps/web');
  const { status, stdout, stderr, error } = spawnSync(
    'vite',
    ['build', '--outDir', relative(web, folder), '--emptyOutDir'],
    {
      cwd: web,
      encoding: 'utf8',
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      stdio: showOutput ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PATH: [web, root]
          .map((folder) => join(folder, 'node_modules/.bin'))
          .concat(process.env.PATH ?? '')
          .join(delimiter),
        ...(!showOutput && { NO_COLOR: '1' }),
      },
    },
  );
  if (error?.code === 'ETIMEDOUT')
    throw new Error(`vite build did not end within ${timeoutMs / 1000} s`);
  if (error) throw error;
  if (status !== 0) throw new Error(showOutput ? 'see above' : buildError(`${stdout}\n${stderr}`));
}

/**
 * Matches the folders of unfinished builds that this file and test-builds.mjs make. The name ends with the id of the
 * build's process.
 */
const unfinished = /^\.(?:test-\w+-\w+-new|new-page|old-page)-(\d+)$/;
/** No build takes this long. */
const abandonedAfterMs = 3_600_000;

/**
 * Removes what killed builds left in the folder. Newer folders stay, because a build in another container may still
 * write to them.
 */
export function removeAbandoned(parent) {
  for (const name of readdirSync(parent)) {
    const [, pid] = unfinished.exec(name) ?? [];
    if (pid === undefined || isRunning(Number(pid))) continue;
    const folder = join(parent, name);
    const { mtimeMs = Infinity } = statSync(folder, { throwIfNoEntry: false }) ?? {};
    if (mtimeMs < Date.now() - abandonedAfterMs) rmSync(folder, { recursive: true, force: true });
  }
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/**
 * Does nothing while the sources are unchanged. Replaces the former build in one step, so that a running hub never
 * serves an incomplete build, and a failed build keeps the former one. Returns null, or one sentence with the error.
 */
export function buildPage({ root = workspace, showOutput = false, timeoutMs } = {}) {
  const web = join(root, 'apps/web');
  if (!existsSync(join(web, 'index.html'))) return null;
  const page = join(web, 'dist');
  const stamp = '.built-from';
  const hash = hashOfSources(root, pageSources);
  if (existsSync(join(page, stamp)) && readFileSync(join(page, stamp), 'utf8') === hash)
    return null;

  console.error('setup: building the web UI (vite build)…');
  // The folders are in node_modules, because other tools ignore it, and a rename needs a folder on the same disk.
  const aside = (name) => join(web, 'node_modules', `.${name}-${process.pid}`);
  const fresh = aside('new-page');
  try {
    mkdirSync(fresh, { recursive: true });
    removeAbandoned(join(web, 'node_modules'));
    runVite({ root, folder: fresh, showOutput, timeoutMs });
    writeFileSync(join(fresh, stamp), hash);
    const old = aside('old-page');
    if (existsSync(page)) renameSync(page, old);
    renameSync(fresh, page);
    rmSync(old, { recursive: true, force: true });
    return null;
  } catch (error) {
    return `the page could not be built: ${error.message}`;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const failure = buildPage({ showOutput: true });
  if (failure !== null) {
    console.error(`setup: ${failure}`);
    process.exit(1);
  }
}
