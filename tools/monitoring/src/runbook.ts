import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './repository.ts';

/** A page of docs/runbooks, taken apart. */
export interface Runbook {
  readonly title: string;
  /** The commands of its section "See". */
  readonly see: string;
  /** The commands of its section "End". */
  readonly end: string;
}

/** Reads the page at a path from the repository's root. @throws {Error} if it lacks a part */
export async function readRunbook(path: string): Promise<Runbook> {
  const text = await readFile(join(root, path), 'utf8');
  const part = (name: string, pattern: RegExp) => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error(`${path} has no ${name}`);
    return found;
  };
  return {
    title: part('title', /^# (\w+)$/m),
    see: part('commands to see it', /^## See\n\n```bash\n([^`]+)```$/m),
    end: part('commands to end it', /^## End\n\n```bash\n([^`]+)```$/m),
  };
}
