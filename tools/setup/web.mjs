// Builds the web UI (apps/web) if it is missing or its sources changed. This file must be plain JavaScript for Node
// 20.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join, relative, resolve } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const workspace = resolve(fileURLToPath(import.meta.url), '../../..');
const sources = [
  'apps/web',
  'packages/client/src',
  'packages/protocol/src',
  'tsconfig.base.json',
  'package-lock.json',
];
const notSources = /^(node_modules|dist|\..*|.*\.(test|contract)\.tsx?)$/;

function filesBelow(root, path) {
  const whole = join(root, path);
  if (!existsSync(whole)) return [];
  const entries = readdirSync(whole, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  return entries
    .filter(({ name }) => !notSources.test(name))
    .flatMap((entry) => {
      const below = `${path}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(root, below) : [below];
    });
}

/** File times mean nothing after a checkout, so the sources are hashed. */
function hashOfSources(root) {
  const hash = createHash('sha256');
  const files = sources.flatMap((path) =>
    /\.json$/.test(path)
      ? [path].filter((one) => existsSync(join(root, one)))
      : filesBelow(root, path),
  );
  for (const file of files) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function buildError(output) {
  const lines = output.split('\n').map((line) => line.trim());
  const start = lines.findIndex((line) => /^error during build/i.test(line)) + 1;
  const relevant = lines.slice(start).filter((line) => line !== '' && !/build failed/i.test(line));
  return relevant.slice(0, 2).join(' ').slice(0, 300) || 'the build printed nothing';
}

/**
 * Does nothing while the sources are unchanged. Replaces the former build in one step, so that a running hub never
 * serves an incomplete build, and a failed build keeps the former one. Returns null, or one sentence with the error.
 */
export function buildPage({ root = workspace, showOutput = false } = {}) {
  const web = join(root, 'apps/web');
  if (!existsSync(join(web, 'index.html'))) return null;
  const page = join(web, 'dist');
  const stamp = '.built-from';
  const hash = hashOfSources(root);
  if (existsSync(join(page, stamp)) && readFileSync(join(page, stamp), 'utf8') === hash)
    return null;

  console.error('setup: building the web UI (vite build)…');
  // The build is in this folder because a rename needs the same disk, and because other tools ignore the folder.
  const aside = (name) => join(web, 'node_modules', `.${name}-${process.pid}`);
  const fresh = aside('new-page');
  try {
    mkdirSync(fresh, { recursive: true });
    const { status, stdout, stderr, error } = spawnSync(
      'vite',
      ['build', '--outDir', relative(web, fresh), '--emptyOutDir'],
      {
        cwd: web,
        encoding: 'utf8',
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
    if (error) throw error;
    if (status !== 0)
      throw new Error(showOutput ? 'see above' : buildError(`${stdout}\n${stderr}`));
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
