import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { hubProgram, type HubProgram } from '@openclaw/test-support';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program of the hub, such as `audit/main`, until it ends. Its environment has only the given variables, and
 * NODE_COMPILE_CACHE.
 */
export function runCommand(
  program: HubProgram,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onOutput: (stdout: string, pid: number) => void = () => undefined,
): Promise<Ended> {
  const { NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [...hubProgram(program), ...args], {
    // The program reads a .env file from its working directory. This folder has none.
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: { NODE_COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    onOutput(stdout, child.pid ?? 0);
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
