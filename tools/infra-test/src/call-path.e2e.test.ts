import { execFile } from 'node:child_process';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { root } from './repository.ts';

interface Outcome {
  readonly exitCode: number;
  readonly output: string;
}

function callPath(...args: string[]): Promise<Outcome> {
  const command = ['--conditions=@openclaw/source', 'tools/setup/call-path.mjs', ...args];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, command, { cwd: root }, (_, stdout, stderr) =>
      resolve({ exitCode: child.exitCode ?? -1, output: stdout + stderr }),
    );
  });
}

function filesOfHub({ output }: Outcome): string[] {
  const [, list = ''] = /The hub's thread \(\d+\)\n([^]*?)\n\n/.exec(output) ?? [];
  return [...list.matchAll(/^ {4}(\S+)$/gm)].map(([, file = '']) => file);
}

describe('the path of a call', () => {
  let send: Outcome;
  let ping: Outcome;
  beforeAll(async () => {
    [send, ping] = await Promise.all([
      callPath('message.send', '--max', '45'),
      callPath('ping', '{}', '--max', '5'),
    ]);
  });

  it('of message.send runs through at most 45 files of the hub’s thread', () => {
    expect(send).toEqual({ exitCode: 0, output: expect.stringContaining('message.send runs') });
    const files = filesOfHub(send);
    expect(files.length).toBeLessThanOrEqual(45);
    const path = ['dispatcher.ts', 'invoke.ts', 'messages.ts', 'group-commit.ts', 'room.ts'];
    expect(files).toEqual(expect.arrayContaining(path));
  });

  it('holds no file that only a timer calls', () => {
    expect(filesOfHub(send)).not.toContain('event-loop-delay.ts');
  });

  it('fails the command when it is longer than --max', () => {
    expect(ping.output).toContain('more than 5 files');
    expect(ping.exitCode).toBe(1);
    expect(filesOfHub(ping)).not.toContain('group-commit.ts');
  });
});
