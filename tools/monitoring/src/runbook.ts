import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './repository.ts';

export interface Runbook {
  readonly title: string;
  /** The text has the commands of the section "See". */
  readonly see: string;
  /**
   * The blocks of commands in the section "End". Each block ends a different cause of the alert, or is a further step.
   */
  readonly end: readonly [string, ...string[]];
}

export async function readAdminTokenCommand(): Promise<string> {
  const text = await readFile(join(root, 'docs/runbooks/README.md'), 'utf8');
  const command = /^```bash\n(export ADMIN_TOKEN=[^`]+)```$/m.exec(text)?.[1];
  if (command === undefined) throw new Error('the runbooks have no command for ADMIN_TOKEN');
  return command;
}

/** `path` is from the repository's root. @throws {Error} if the page lacks a part */
export async function readRunbook(path: string): Promise<Runbook> {
  const text = await readFile(join(root, path), 'utf8');
  const part = (name: string, pattern: RegExp) => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error(`${path} has no ${name}`);
    return found;
  };
  const blocksIn = (section: string) => {
    const [first, ...others] = [...section.matchAll(/^```bash\n([^`]+)```$/gm)].map(
      ([, commands = '']) => commands,
    );
    if (first === undefined) throw new Error(`${path} has no commands to end it`);
    return [first, ...others] as const;
  };
  return {
    title: part('title', /^# (\w+)$/m),
    see: part('commands to see it', /^## See\n\n```bash\n([^`]+)```$/m),
    end: blocksIn(part('section "End"', /^## End\n\n([^]+)$/m)),
  };
}
