import { readFileSync, statSync } from 'node:fs';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Each of these secrets may be in a file, which `<name>_FILE` names. The secrets of Redis are not in this list,
 * because the package redis-client reads them.
 */
export const secretNames = ['HUB_JWT_SECRET', 'HUB_DB_URL', 'HUB_DB_PASSWORD'] as const;

/** A longer file cannot hold a secret, and was named by mistake. */
const maxChars = 65_536;

/**
 * Sets each secret to the text of its file, without the line break at the end. Returns the environment without the
 * `_FILE` variables, and one problem for each file that cannot be used. A problem never contains the file's content.
 */
export function readSecretFiles(environment: Environment): {
  readonly environment: Environment;
  readonly problems: readonly string[];
} {
  const resolved: Record<string, string | undefined> = { ...environment };
  const problems: string[] = [];
  for (const name of secretNames) {
    const fileName = `${name}_FILE`;
    const path = environment[fileName];
    delete resolved[fileName];
    if (path === undefined || path === '') continue;
    if (environment[name] !== undefined && environment[name] !== '') {
      problems.push(`${fileName}: ${name} is set too; set one of them`);
      continue;
    }
    const read = readSecret(path);
    if ('problem' in read) problems.push(`${fileName}: ${read.problem}`);
    else resolved[name] = read.text;
  }
  return { environment: resolved, problems };
}

function readSecret(path: string): { readonly text: string } | { readonly problem: string } {
  let text: string;
  try {
    // A read of a pipe or a device could wait without end.
    if (!statSync(path).isFile()) return { problem: 'it names no regular file' };
    text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    return { problem: `the file cannot be read (${code})` };
  }
  if (text === '') return { problem: 'the file is empty' };
  if (text.length > maxChars) return { problem: 'the file is too large to be a secret' };
  return { text };
}
