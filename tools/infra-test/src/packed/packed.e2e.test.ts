import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { join } from 'node:path';
import { temporaryFolder, type TemporaryFolder } from '@openclaw/test-support';
import { printed, readReadmeBlocks } from '../readme-blocks.ts';
import { startBlockServers, type BlockServers } from '../run-block.ts';
import { packPackages, type PackedPackage } from './pack-packages.ts';
import { startPackageRegistry, type PackageRegistry } from './package-registry.ts';
import { installNode, installNodeTypes, installTypeScript } from './toolchains.ts';
import { createUserProject, type UserProject } from './user-project.ts';

// The lowest Node version that the packages support, and the hub's version.
const nodes = ['22.13.0', '24.21.0'];
const compilers = ['5.9.3', '6.0.3'];
const blocks = readReadmeBlocks();

jest.setTimeout(120_000);

let folder: TemporaryFolder;
let packages: PackedPackage[];
let registry: PackageRegistry;
let servers: BlockServers;
let nodeTypes: string;
const programs = new Map<string, string>();
const program = (version: string) => programs.get(version) ?? '';

beforeAll(async () => {
  folder = await temporaryFolder('packed');
  for (const version of nodes) programs.set(version, await installNode(version));
  for (const version of compilers) programs.set(version, await installTypeScript(version));
  nodeTypes = await installNodeTypes('22.20.7');
  packages = await packPackages(
    blocks.map((block) => block.folder),
    folder.path,
  );
  registry = await startPackageRegistry(packages);
  servers = await startBlockServers();
}, 600_000);
afterAll(async () => {
  await servers?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  await folder?.remove();
});

function install(name: string, installLine: string): Promise<UserProject> {
  return createUserProject(join(folder.path, name.replace('@openclaw/', '')), {
    installLine,
    registryUrl: registry.url,
    node: program(nodes[0]!),
  });
}

it('packs each published package', () => {
  const names = packages.map(({ manifest }) => manifest.name);
  expect(names.sort()).toEqual(blocks.map(({ name }) => name));
});

describe.each(blocks)('$name, installed as its README says', (readme) => {
  let project: UserProject;
  beforeAll(async () => {
    project = await install(readme.name, readme.installLine);
  });
  const expected = {
    exit: 0,
    stdout: expect.stringMatching(printed[readme.name]!),
    stderr: '',
  };

  it.each(nodes)('runs the first block as printed with Node %s', async (version) => {
    const options = { extension: '.mjs', node: program(version), servers } as const;
    expect(await project.run(readme.block, options)).toEqual(expected);
  });

  it.each(nodes)('runs it by require with Node %s', async (version) => {
    const options = { extension: '.cjs', node: program(version), servers } as const;
    expect(await project.run(readme.commonJs, options)).toEqual(expected);
  });

  const files = { 'block.mts': readme.block, 'block.cjs': readme.commonJs };
  // The declarations of ioredis refer to @types/node.
  const needsNodeTypes = readme.imported.includes('@openclaw/redis-client');

  it.each(compilers)('passes the strict check of TypeScript %s, in both forms', async (version) => {
    const options = { tsc: program(version), skipLibCheck: needsNodeTypes };
    expect(await project.check(files, options)).toBe('');
  });

  if (!needsNodeTypes) return;
  it.each(compilers)(
    'has whole declarations for TypeScript %s with @types/node',
    async (version) => {
      const options = { tsc: program(version), nodeTypes };
      expect(await project.check(files, options)).toBe('');
    },
  );
});

describe('the type check', () => {
  const { block, commonJs } = blocks.find(({ name }) => name === '@openclaw/key-schema')!;
  let project: UserProject;
  beforeAll(async () => {
    project = await install('a-control', 'npm install @openclaw/key-schema');
  });

  it.each(compilers)(
    'finds a wrong argument, in both forms, with TypeScript %s',
    async (version) => {
      const wrong = (code: string) => code.replace("prefix: 'openclaw:'", 'prefix: 7');
      const files = { 'block.mts': wrong(block), 'block.cjs': wrong(commonJs) };
      const complaints = await project.check(files, { tsc: program(version) });
      expect(complaints).toMatch(/block\.mts.*TS2322/);
      expect(complaints).toMatch(/block\.cjs.*TS2322/);
    },
  );

  it.each(compilers)('needs nodenext for require, with TypeScript %s', async (version) => {
    const options = { tsc: program(version), module: 'node16' } as const;
    expect(await project.check({ 'block.mts': block }, options)).toBe('');
    expect(await project.check({ 'block.cjs': commonJs }, options)).toMatch(/TS1479|TS1471/);
  });
});

it('fails to install for a Node that a package does not support', async () => {
  // This version is just below the lowest supported one.
  const node = await installNode('22.12.0');
  const options = {
    installLine: 'npm install @openclaw/key-schema',
    registryUrl: registry.url,
    node,
  };
  const attempt = createUserProject(join(folder.path, 'too-old'), options);
  await expect(attempt).rejects.toThrow('EBADENGINE');
});
