import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder, type TemporaryFolder } from '@openclaw/test-support';
import { printed, readReadmeBlocks, requireLine, toCommonJs } from './readme-blocks.ts';
import { root } from './repository.ts';
import { runBlock, startBlockServers, type BlockServers } from './run-block.ts';

const blocks = readReadmeBlocks();
// `npm run test:slow -- infra-test/src/packed` runs these blocks with packed packages.
const fromSource = ['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'];

describe.each(blocks)('the README of $name', (readme) => {
  it('installs all that its first block imports', () => {
    const installed = readme.installLine.split(' ').slice(2);
    expect(installed).toContain(readme.name);
    expect([...readme.imported].sort()).toEqual([...installed].sort());
  });

  it('says how CommonJS loads it', () => {
    expect(readme.readme).toContain(`In CommonJS, write \`${requireLine(readme)}\``);
    const awaits = /\bawait\b/.test(readme.block);
    expect(readme.readme.includes('and await inside an async function.')).toBe(awaits);
  });
});

describe('the first block of a package README', () => {
  let folder: TemporaryFolder;
  let servers: BlockServers;
  beforeAll(async () => {
    servers = await startBlockServers();
    folder = await temporaryFolder('readmes');
    await mkdir(join(folder.path, 'node_modules/@openclaw'), { recursive: true });
    for (const { name, folder: source } of blocks)
      await symlink(join(root, source), join(folder.path, 'node_modules', name));
  });
  afterAll(async () => {
    await servers[Symbol.asyncDispose]();
    await folder.remove();
  });

  async function run(name: string, code: string, extension: string, endsWithinMs = 10_000) {
    const cwd = join(folder.path, name.replace('@openclaw/', ''));
    await mkdir(cwd, { recursive: true });
    const file = join(cwd, `block${extension}`);
    await writeFile(file, code);
    return runBlock(file, { cwd, servers, flags: fromSource, endsWithinMs });
  }

  it.each(blocks)('prints and ends, and again by require: $name', async (readme) => {
    const { name, block, commonJs } = readme;
    expect(await run(name, block, '.mjs')).toEqual({
      exit: 0,
      stdout: expect.stringMatching(printed[name]!),
      stderr: '',
    });
    // The second run finds the data of the first one on the servers and in the folder.
    expect(await run(name, commonJs, '.cjs')).toEqual({
      exit: 0,
      stdout: expect.stringMatching(/\S/),
      stderr: '',
    });
  });

  it('is killed and reported when it does not end, and refused another address', async () => {
    const endless = "console.log('begun');\nsetInterval(() => {}, 1_000);\n";
    expect(await run('endless', endless, '.mjs', 3_000)).toMatchObject({
      exit: 'killed',
      stdout: 'begun\n',
    });
    const elsewhere = "import { connect } from 'node:net';\nconnect(6380, 'localhost');\n";
    expect(await run('elsewhere', elsewhere, '.mjs')).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('no test server stands for localhost:6380'),
    });
  });

  it('imports only in the form that its CommonJS is made of', () => {
    expect(toCommonJs("import { a, b } from 'c';\n\nawait a(b);\n")).toBe(
      "const { a, b } = require('c');\n\nasync function main() {\n\nawait a(b);\n}\n\nmain();\n",
    );
    expect(() => toCommonJs("import a from 'c';\n")).toThrow('an import of another form');
  });
});
