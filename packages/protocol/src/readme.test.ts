import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const readmeUrl = new URL('../README.md', import.meta.url);
const run = (...args: string[]) =>
  spawnSync(process.execPath, ['--no-warnings', '--conditions=@openclaw/source', ...args], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: {},
    encoding: 'utf8',
  });

describe('README', () => {
  it('shows the tables as they are in the sources', () => {
    const check = run('scripts/readme-tables.mjs', '--check');
    expect(check.stderr).toBe('');
    expect(check.status).toBe(0);
  });

  it('has an example that runs and gives what it says', () => {
    const example = /```ts\n([^]*?)```/.exec(readFileSync(readmeUrl, 'utf8'))?.[1] ?? '';
    const checked = example.replace(/^(\S.*); \/\/ (.*)$/gm, 'equal($1, $2);');
    expect(checked.split('equal(')).toHaveLength(6);
    const program = `import { strictEqual as equal } from 'node:assert';\n${checked}`;
    const result = run('--input-type=module-typescript', '--eval', program);
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
  });
});
