import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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

function build() {
  const module = pathToFileURL(join(root, 'tools/setup/web.mjs')).href;
  const program = `import { buildPage } from ${JSON.stringify(module)};
    console.log(JSON.stringify(buildPage({ root: ${JSON.stringify(folder.path)} })));`;
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

  it('is not built in a package without its sources', () => {
    writeFileSync(`${web}/index.html`, '');
    spawnSync('rm', [`${web}/index.html`]);
    expect(build()).toEqual({ answer: null, hasBuilt: false });
    expect(existsSync(`${web}/dist`)).toBe(false);
  });
});
