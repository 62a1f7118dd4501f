// Builds the page for people (apps/web) where it is missing or older than what it is made of.
// As a program (`node tools/setup/web.mjs`) it shows the build's own output and exits 1 when that fails.
// Plain JavaScript that runs on Node 20: run.mjs imports it before a newer Node is there.
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
const ingredients = [
  'apps/web',
  'packages/client/src',
  'packages/protocol/src',
  'tsconfig.base.json',
  'package-lock.json',
];
const notIngredients = /^(node_modules|dist|\..*|.*\.(test|contract)\.tsx?)$/;

/** The files below a path, in one order everywhere. */
function filesBelow(root, path) {
  const whole = join(root, path);
  if (!existsSync(whole)) return [];
  const entries = readdirSync(whole, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  return entries
    .filter(({ name }) => !notIngredients.test(name))
    .flatMap((entry) => {
      const below = `${path}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(root, below) : [below];
    });
}

/** What the page is made of, as one hash: the time of a file says nothing after a checkout. */
function hashOfIngredients(root) {
  const hash = createHash('sha256');
  const files = ingredients.flatMap((path) =>
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

/** What a failed build says is wrong, in one line. */
function complaint(output) {
  const lines = output.split('\n').map((line) => line.trim());
  const start = lines.findIndex((line) => /^error during build/i.test(line)) + 1;
  const telling = lines.slice(start).filter((line) => line !== '' && !/build failed/i.test(line));
  return telling.slice(0, 2).join(' ').slice(0, 300) || 'the build said nothing';
}

/**
 * Builds the page unless it is of the same ingredients already. The new one takes the place of the old in one step, so a
 * hub that runs never serves half of one, and a build that fails leaves the old one. Returns null, or in one sentence
 * why there is no page of today.
 */
export function buildPage({ root = workspace, showOutput = false } = {}) {
  const web = join(root, 'apps/web');
  if (!existsSync(join(web, 'index.html'))) return null;
  const page = join(web, 'dist');
  const stamp = '.built-from';
  const hash = hashOfIngredients(root);
  if (existsSync(join(page, stamp)) && readFileSync(join(page, stamp), 'utf8') === hash)
    return null;

  console.error('setup: building the page (vite build)…');
  // Where nobody looks for sources, and on the same disk.
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
      throw new Error(
        showOutput ? 'its own message stands above' : complaint(`${stdout}\n${stderr}`),
      );
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
