import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
import { testScope } from '@openclaw/test-support/scopes';

const scope = testScope();
const root = resolve(fileURLToPath(import.meta.url), '../../../../..');

it('every command of docs/backup.md runs', async () => {
  const page = await readFile(join(root, 'docs/backup.md'), 'utf8');
  const blocks = [...page.matchAll(/```bash\n(.*?)```/gs)].map(([, block = '']) => block);
  const lines = blocks.join('').trim().split('\n');
  const folder = await scope.use(temporaryFolder('documented'));
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    HUB_DB_URL: `sqlite:${folder.path}/hub.sqlite`,
    REDIS_URL: 'redis://127.0.0.1:1',
  };
  async function run(line: string): Promise<void> {
    const command = line.replace('/backups', `${folder.path}/backups`);
    const child = spawn('sh', ['-c', command], { cwd: root, env, stdio: 'pipe' });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    expect([line, ...((await once(child, 'close')) as unknown[]), output]).toEqual([
      line,
      0,
      null,
      output,
    ]);
  }
  await run('npm run migrate');
  const ours = lines.filter((line) => line.startsWith('npm run '));
  expect(ours.length).toBeGreaterThan(8);
  for (const line of ours) await run(line);
  // The drill of pgBackRest runs all other commands.
  const others = lines.filter((line) => !line.startsWith('npm run '));
  expect(others.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(
    Array.from({ length: 4 }, () => 'pgbackrest --stanza=openclaw'),
  );
}, 180_000);
