import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { errorCodes } from './errors.ts';
import { methods, type MethodName } from './methods.ts';
import { notifications, type NotificationName } from './notifications.ts';

const readmeUrl = new URL('../README.md', import.meta.url);
const run = (...args: string[]) =>
  spawnSync(process.execPath, ['--no-warnings', '--conditions=@openclaw/source', ...args], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
    encoding: 'utf8',
  });

describe('README', () => {
  it('shows the table of methods that the sources give', () => {
    const check = run('scripts/readme-table.mjs', '--check');
    expect(check.stderr).toBe('');
    expect(check.status).toBe(0);
  });

  it('has an example that runs and gives the values in its comments', () => {
    const example = /```ts\n([^]*?)```/.exec(readFileSync(readmeUrl, 'utf8'))?.[1] ?? '';
    const checked = example.replace(/^console\.log\((.*)\); \/\/ (.*)$/gm, 'equal($1, $2);');
    expect(checked.split('equal(')).toHaveLength(6);
    const program = `import { strictEqual as equal } from 'node:assert';\n${checked}`;
    const result = run('--input-type=module-typescript', '--eval', program);
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
  });

  it('shows frames that the schemas accept', () => {
    const called = new Map<unknown, MethodName>();
    const refusal = z.object({ data: z.object({ code: z.enum(errorCodes) }) });
    const malformed = z.object({ data: z.array(z.object({ message: z.string() })) });
    const check = (frame: Record<string, unknown>, isFromClient: boolean) => {
      const { id, method, params, result, error } = frame;
      expect(frame['jsonrpc']).toBe('2.0');
      const name = called.get(id) ?? 'ping';
      if (isFromClient) called.set(id, method as MethodName);
      else if (method) notifications[method as NotificationName].params.parse(params);
      else if (result) expect(methods[name].result.parse(result)).toEqual(result);
      else z.union([refusal, malformed]).parse(error);
    };
    const text = readFileSync(readmeUrl, 'utf8');
    const lines = [...text.matchAll(/```jsonl\n([^]*?)```/g)].flatMap(([, block = '']) =>
      block.trim().split('\n'),
    );
    for (const line of lines) {
      const frame = JSON.parse(line.slice(2));
      for (const object of [frame].flat()) check(object, line.startsWith('>'));
    }
    expect(lines).toHaveLength(10);
    expect([...called.values()]).toEqual([
      'message.send',
      'channel.get',
      'message.send',
      'subscribe',
    ]);
  });
});
