// `node tools/setup/bundle.mjs` bundles the hub and its commands into apps/chat-hub/dist, with source maps. The
// result needs no node_modules. A bundle starts faster than separate modules, and takes less memory.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../../..');
// The bundler belongs to the web UI's build.
const require = createRequire(join(root, 'apps/web/package.json'));
const { rolldown } = await import(require.resolve('rolldown'));

const hub = join(root, 'apps/chat-hub');
// The modules of src/observe and src/rest find package.json and the web UI by relative paths, so the folder must be
// as deep.
const bundle = join(hub, 'dist/bundle');

/** The paths are below apps/chat-hub/src, and below dist. */
const programs = [
  ...['main', 'audit/main', 'health/main'],
  ...['commands/erase', 'commands/export', 'commands/token'],
];
const bundleName = (program) => program.replaceAll('/', '-');

await rm(join(hub, 'dist'), { recursive: true, force: true });
await write(
  Object.fromEntries(
    programs.map((program) => [bundleName(program), `apps/chat-hub/src/${program}.ts`]),
  ),
);
// Built separately, because a shared chunk would load modules of the hub that the thread does not use.
await write({ worker: 'packages/chat-store/src/sqlite/worker.ts' });
await write({ 'mapped-crash': 'apps/chat-hub/src/observe/mapped-crash.ts' });
for (const program of programs) {
  const file = join(hub, 'dist', `${program}.js`);
  const imports = ['mapped-crash', bundleName(program)].map((name) => {
    const target = relative(dirname(file), join(bundle, `${name}.js`));
    return `import '${target.startsWith('.') ? target : `./${target}`}';\n`;
  });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, imports.join(''));
}

async function write(input) {
  const build = await rolldown({
    cwd: root,
    platform: 'node',
    input,
    // The bundler adds 'import' or 'require' for each call. pg breaks when it is required with 'import'.
    resolve: { conditionNames: ['@openclaw/source', 'node'] },
    // Optional native parts of ws and pg, which also work without them.
    external: [/^node:/, 'bufferutil', 'utf-8-validate', 'pg-native'],
    logLevel: 'warn',
  });
  await build.write({
    dir: bundle,
    format: 'esm',
    sourcemap: true,
    // Node needs only the positions. With the sources, each map would take more memory.
    sourcemapExcludeSources: true,
    // Minifying would save little, and names are readable even without the maps.
    chunkFileNames: '[name]-[hash].js',
  });
  await build.close();
}
