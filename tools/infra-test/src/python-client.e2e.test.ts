import { beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from './repository.ts';

const folder = join(root, 'clients/python');
const cacheFolder = join(homedir(), '.cache/openclaw-chat-hub/python');
const canMakeVenv =
  spawnSync('python3', ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'])
    .status === 0;

function run(command: string, ...args: string[]) {
  const env = { ...process.env, OPENCLAW_NODE: process.execPath };
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: folder,
    env,
    encoding: 'utf8',
    timeout: 170_000,
  });
  return { status, output: `${stdout}${stderr}${error?.message ?? ''}` };
}

function runOrThrow(command: string, ...args: string[]): string {
  const { status, output } = run(command, ...args);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${output}`);
  return output;
}

/** Creates a new venv if the requirements or the version of Python have changed. */
async function openVenv(): Promise<string> {
  const requirements = await readFile(join(folder, 'requirements-test.txt'), 'utf8');
  const version = run('python3', '--version').output;
  const key = createHash('sha256')
    .update(requirements + version)
    .digest('hex');
  const venv = join(cacheFolder, key.slice(0, 16));
  const marker = join(venv, 'complete');
  if (existsSync(marker)) return venv;
  await rm(venv, { recursive: true, force: true });
  await mkdir(dirname(venv), { recursive: true });
  runOrThrow('python3', '-m', 'venv', venv);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  runOrThrow(join(venv, 'bin/python'), ...pip, '-r', 'requirements-test.txt');
  await writeFile(marker, '');
  return venv;
}

(canMakeVenv ? describe : describe.skip)(
  'the Python client (needs Python 3.10 or newer with venv)',
  () => {
    let bin: string;
    beforeAll(async () => {
      bin = join(await openVenv(), 'bin');
    }, 180_000);

    it('passes its own tests against real hubs', () => {
      expect(runOrThrow(join(bin, 'pytest'), '-q')).toMatch(/\d+ passed/);
    }, 180_000);

    it('is typed without a gap', () => {
      const cache = ['--cache-dir', join(cacheFolder, 'mypy')];
      expect(runOrThrow(join(bin, 'mypy'), ...cache)).toContain('no issues found');
    }, 180_000);
  },
);
