// `node tools/setup/bundle.mjs` bundles the hub and its commands into apps/chat-hub/dist, with source maps. The
// result needs no node_modules. A bundle starts faster than separate modules, and takes less memory.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../../..');
const hub = join(root, 'apps/chat-hub');

export const hubSources = [
  'packages',
  'apps/chat-hub',
  'tsconfig.base.json',
  'package-lock.json',
  'tools/setup/bundle.mjs',
];

/** Each program has the same path below apps/chat-hub/src and below dist. */
const programs = [
  ...['main', 'audit/main', 'health/main'],
  ...['commands/erase', 'commands/export', 'commands/token'],
];
const bundleName = (program) => program.replaceAll('/', '-');

/**
 * Writes the bundle into the folder `bundle`, and the programs that start the bundle into the folder `started`. The
 * modules of src/observe and src/rest find package.json and the web UI by relative paths, so `bundle` must be as deep
 * as these folders.
 */
export async function bundleHub({ bundle, started }) {
  await writeBundle(
    bundle,
    Object.fromEntries(
      programs.map((program) => [bundleName(program), `apps/chat-hub/src/${program}.ts`]),
    ),
  );
  // The worker is built separately. A shared chunk would load modules of the hub that the worker does not use.
  await writeBundle(bundle, { worker: 'packages/chat-store/src/sqlite/worker.ts' });
  await writeBundle(bundle, { 'mapped-crash': 'apps/chat-hub/src/observe/mapped-crash.ts' });
  for (const program of programs) {
    const file = join(started, `${program}.js`);
    const imports = ['mapped-crash', bundleName(program)].map((name) => {
      const target = relative(dirname(file), join(bundle, `${name}.js`));
      return `import '${target.startsWith('.') ? target : `./${target}`}';\n`;
    });
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, imports.join(''));
  }
}

/** Bundles the modules, whose names are the keys of `input`, into the folder. */
export async function writeBundle(folder, input) {
  // The bundler belongs to the web UI's build.
  const require = createRequire(join(root, 'apps/web/package.json'));
  const { rolldown } = await import(require.resolve('rolldown'));
  const build = await rolldown({
    cwd: root,
    platform: 'node',
    input,
    // The list has neither `import` nor `require`, because the bundler adds the right one for each call. pg breaks when
    // a `require` is resolved with the condition `import`.
    resolve: { conditionNames: ['@openclaw/source', 'node'] },
    // ws and pg also work without these optional native parts.
    external: [/^node:/, 'bufferutil', 'utf-8-validate', 'pg-native'],
    logLevel: 'warn',
  });
  await build.write({
    dir: folder,
    format: 'esm',
    sourcemap: true,
    // Node needs only the positions. With the sources, each map would take more memory.
    sourcemapExcludeSources: true,
    // The code is not minified: that would save little, and the names would be unreadable without the maps.
    chunkFileNames: '[name]-[hash].js',
  });
  await build.close();
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const dist = join(hub, 'dist');
  await rm(dist, { recursive: true, force: true });
  await bundleHub({ bundle: join(dist, 'bundle'), started: dist });
}
