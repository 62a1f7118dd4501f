import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import { freePort, startProcess, startRedis } from '@openclaw/test-support';

const folder = resolve(import.meta.dirname, '..');
const readme = readFileSync(resolve(folder, 'README.md'), 'utf8');
const example = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? '';

async function runExample(port: number) {
  expect(example).toContain('localhost:6379');
  const code = example.replace('localhost:6379', `127.0.0.1:${port}`);
  const run = startProcess(
    process.execPath,
    ['--no-warnings', '--conditions=@openclaw/source', '--input-type=module', '--eval', code],
    { cwd: folder },
  );
  return { code: await run.exited, output: run.output() };
}

it('shows lines that run with Redis and without it', async () => {
  const server = await startRedis();
  expect(await runExample(server.port)).toEqual({
    code: 0,
    output: "{ value: 'PONG', degraded: false }\n",
  });
  await server.stop();
  expect(await runExample(await freePort())).toEqual({
    code: 0,
    output: "{ value: 'Nobody is there', degraded: true }\n",
  });
});
