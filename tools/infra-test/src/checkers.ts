import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Checked {
  readonly code: number;
  readonly output: string;
}

/** Tests without their checker are skipped. `npm test` installs the checkers if it can, and names the missing ones. */
export function isOnPath(name: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, name)));
}

/** Resolves for every exit code. `output` is standard output, then standard error. */
export function runChecker(
  name: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Checked> {
  return new Promise((resolve, reject) => {
    execFile(
      name,
      args,
      { ...options, timeout: 60_000, maxBuffer: 16 * 1_048_576 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (typeof code !== 'number') reject(new Error(`${name} did not run`, { cause: error }));
        else resolve({ code, output: `${stdout}${stderr}` });
      },
    );
  });
}
