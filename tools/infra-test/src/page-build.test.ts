import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
import { root } from './repository.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let web: string;

beforeEach(async () => {
  folder = await temporaryFolder('page-build');
  web = join(folder.path, 'apps/web');
  for (const path of [
    web,
    `${web}/src`,
    `${folder.path}/packages/client/src`,
    `${web}/node_modules/.bin`,
  ])
    mkdirSync(path, { recursive: true });
  writeFileSync(`${web}/index.html`, '<title>page</title>');
  writeFileSync(`${web}/src/main.ts`, 'one');
  writeFileSync(`${folder.path}/packages/client/src/index.ts`, 'client');
  vite('mkdir -p "$3"; cp src/main.ts "$3/index.html"');
});
afterEach(() => folder.remove());

/** The fake Vite is called as `vite build --outDir <folder> …`. */
function vite(script: string) {
  const file = `${web}/node_modules/.bin/vite`;
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

function build(options: { readonly timeoutMs?: number } = {}) {
  const module = pathToFileURL(join(root, 'tools/setup/web.mjs')).href;
  const program = `import { buildPage } from ${JSON.stringify(module)};
    console.log(JSON.stringify(buildPage(${JSON.stringify({ root: folder.path, ...options })})));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  return { answer: JSON.parse(stdout) as string | null, hasBuilt: stderr.includes('building') };
}
const page = () => readFileSync(`${web}/dist/index.html`, 'utf8');

describe('the web UI', () => {
  it('is built when it is missing, and not again while its sources are unchanged', () => {
    expect(build()).toEqual({ answer: null, hasBuilt: true });
    expect(page()).toBe('one');
    expect(build()).toEqual({ answer: null, hasBuilt: false });
  });

  it('is rebuilt when the web UI, the SDK or a dependency changed, but not a test', () => {
    build();
    for (const path of [`${web}/src/main.ts`, `${folder.path}/packages/client/src/index.ts`]) {
      writeFileSync(path, 'two');
      expect(build()).toEqual({ answer: null, hasBuilt: true });
    }
    expect(page()).toBe('two');
    writeFileSync(`${folder.path}/package-lock.json`, '{}');
    expect(build().hasBuilt).toBe(true);
    writeFileSync(`${web}/src/main.test.ts`, 'x');
    expect(build().hasBuilt).toBe(false);
  });

  it('is kept when a build fails; the error is one sentence, and the next call tries again', () => {
    build();
    writeFileSync(`${web}/src/main.ts`, 'broken');
    vite(
      'mkdir -p "$3"; echo half > "$3/index.html"; echo "error during build:" >&2; echo "no such import" >&2; exit 1',
    );
    for (let time = 0; time < 2; time++) {
      expect(build()).toEqual({
        answer: 'the page could not be built: no such import',
        hasBuilt: true,
      });
    }
    expect(page()).toBe('one');
  });

  // The fault: a build that hung kept `npm start` and `npm test` from ever going on.
  it('is kept when a build does not end, which is killed', () => {
    build();
    writeFileSync(`${web}/src/main.ts`, 'two');
    vite('exec sleep 60');
    expect(build({ timeoutMs: 500 })).toEqual({
      answer: 'the page could not be built: vite build did not end within 0.5 s',
      hasBuilt: true,
    });
    expect(page()).toBe('one');
  });

  // The fault: each killed build left its folder. Invariant: the folder of a running process stays.
  it('is built after the folders of killed builds are removed', () => {
    const { pid: ended } = spawnSync('true');
    const folders = (...names: string[]) => names.map((name) => join(web, 'node_modules', name));
    const abandoned = folders(
      `.new-page-${ended}`,
      `.old-page-${ended}`,
      `.test-hub-a1-new-${ended}`,
    );
    const running = folders(`.new-page-${process.pid}`, `.test-page-b2-new-${process.pid}`);
    const others = folders('.test-page-c3', 'vite');
    const recent = folders(`.test-page-d4-new-${ended}`);
    const all = [...abandoned, ...running, ...others, ...recent];
    for (const path of all) mkdirSync(path);
    const [past, now] = [new Date(Date.now() - 7_200_000), new Date()];
    for (const path of all) utimesSync(path, past, recent.includes(path) ? now : past);
    build();
    expect(all.filter((path) => !existsSync(path))).toEqual(abandoned);
  });

  it('is not built in a package without its sources', () => {
    writeFileSync(`${web}/index.html`, '');
    spawnSync('rm', [`${web}/index.html`]);
    expect(build()).toEqual({ answer: null, hasBuilt: false });
    expect(existsSync(`${web}/dist`)).toBe(false);
  });
});

describe('the builds that tests run', () => {
  it('are named by the hash of their sources, so that no test runs an old build', async () => {
    const module = pathToFileURL(join(root, 'tools/setup/test-builds.mjs')).href;
    const { testBuildFolder } = (await import(module)) as {
      testBuildFolder: (name: 'hub' | 'page', root: string) => string;
    };
    const names = () => [testBuildFolder('hub', folder.path), testBuildFolder('page', folder.path)];
    const changed = (path: string) => {
      const before = names();
      writeFileSync(join(folder.path, path), `changed ${path}`);
      return names().map((name, at) => name !== before[at]);
    };
    mkdirSync(join(folder.path, 'apps/chat-hub/src'), { recursive: true });
    mkdirSync(join(folder.path, 'packages/chat-store/src/sqlite'), { recursive: true });
    expect(changed('packages/client/src/index.ts')).toEqual([true, true]);
    expect(changed('package-lock.json')).toEqual([true, true]);
    expect(changed('apps/chat-hub/src/main.ts')).toEqual([true, false]);
    expect(changed('packages/chat-store/src/sqlite/worker.ts')).toEqual([true, false]);
    expect(changed('apps/web/src/main.ts')).toEqual([false, true]);
    expect(changed('apps/chat-hub/src/main.test.ts')).toEqual([false, false]);
  });
});

describe('a command of the setup', () => {
  // The fault: an installer that hung kept every task from starting.
  it('is ended after its time limit', async () => {
    const module = pathToFileURL(join(root, 'tools/setup/run-command.mjs')).href;
    const { runCommand } = (await import(module)) as {
      runCommand: (command: string, args: string[], options: object) => Promise<object>;
    };
    const late = await runCommand('sleep', ['60'], { timeoutMs: 300 });
    const error = new Error('sleep did not end within 0.005 minutes');
    expect(late).toEqual({ status: null, stderr: '', error });
    expect(await runCommand('true', [], {})).toMatchObject({ status: 0, error: null });
  });
});
