import { execFile } from 'node:child_process';

export interface As {
  readonly user?: string;
  readonly password?: string;
}

/** Resolves with the trimmed output, Redis errors included. */
export function redisCli(
  port: number,
  command: readonly string[],
  { user, password }: As = {},
): Promise<string> {
  const auth = [...(user ? ['--user', user] : []), ...(password ? ['--pass', password] : [])];
  return new Promise((resolve, reject) => {
    execFile(
      'redis-cli',
      ['-h', '127.0.0.1', '-p', String(port), '--no-auth-warning', ...auth, ...command],
      { timeout: 10_000 },
      (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number')
          reject(new Error('redis-cli did not run', { cause: error }));
        else resolve(`${stderr}${stdout}`.trim());
      },
    );
  });
}
