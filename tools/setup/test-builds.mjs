// The builds that tests run: the hub's bundle and the web UI. A build has the hash of its sources in its name, so tests
// never run an old one. `node tools/setup/test-builds.mjs hub|page` builds if needed and prints the folder.
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { bundleHub, hubSources, writeBundle } from './bundle.mjs';
import { hashOfSources } from './source-hash.mjs';
import { pageSources, removeAbandoned, runVite } from './web.mjs';

const workspace = resolve(fileURLToPath(import.meta.url), '../../..');
/** This many builds are kept, because another run may still use an older one. */
const keptBuilds = 3;
const attempts = 5;

const builds = {
  hub: {
    sources: hubSources,
    // The folder is as deep as the bundle's relative paths assume.
    path: 'apps/chat-hub/node_modules/.test-bundle-',
    async build(folder) {
      await bundleHub({ bundle: folder, started: join(folder, 'programs') });
      await writeBundle(folder, { 'hub-parts': 'apps/chat-hub/src/testing/hub-parts.ts' });
      // Node looks for package.json only up to node_modules, so the build needs its own.
      await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    },
  },
  page: {
    sources: pageSources,
    path: 'apps/web/node_modules/.test-page-',
    // This timeout is shorter than that of builtForTests. If builtForTests killed this process first, Vite would keep
    // running.
    build: (folder) => runVite({ folder, timeoutMs: 100_000 }),
  },
};

/**
 * Returns the folder of the build of the present sources. The folder may not exist yet.
 * @param {'hub' | 'page'} name
 */
export function testBuildFolder(name, root = workspace) {
  const { sources, path } = builds[name];
  return join(root, `${path}${hashOfSources(root, sources).slice(0, 16)}`);
}

/**
 * Builds if there is no build of the present sources, and resolves with the build's folder. Several processes may do
 * this at once. Rejects when the build fails, and when the sources change during each of several builds.
 */
export async function buildForTests(name) {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const folder = testBuildFolder(name);
    if (existsSync(folder)) {
      const now = new Date();
      await utimes(folder, now, now);
      return folder;
    }
    await removeOld(builds[name].path);
    const fresh = `${folder}-new-${process.pid}`;
    try {
      await mkdir(fresh, { recursive: true });
      removeAbandoned(dirname(folder));
      await builds[name].build(fresh);
      // If the sources changed during the build, the build may contain only a part of the change.
      if (testBuildFolder(name) !== folder) continue;
      // A rename makes the build visible in one step. If several processes build at once, the first build is kept.
      await rename(fresh, folder).catch((error) => {
        if (!existsSync(folder)) throw error;
      });
      return folder;
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  }
  throw new Error(`the sources of the ${name} changed during each of ${attempts} builds`);
}

async function removeOld(path) {
  const parent = dirname(join(workspace, path));
  const prefix = path.split('/').at(-1);
  const names = (await readdir(parent).catch(() => [])).filter(
    (name) => name.startsWith(prefix) && !name.includes('-new-'),
  );
  const used = await Promise.all(
    names.map(async (name) => {
      const folder = join(parent, name);
      // Another process may have removed the folder.
      const usedMs = await stat(folder).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      );
      return { folder, usedMs };
    }),
  );
  for (const { folder } of used.sort((a, b) => b.usedMs - a.usedMs).slice(keptBuilds - 1))
    await rm(folder, { recursive: true, force: true });
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [, , name] = argv;
  if (!Object.hasOwn(builds, name)) {
    console.error('usage: test-builds.mjs hub|page');
    process.exit(2);
  }
  console.log(await buildForTests(name));
}
