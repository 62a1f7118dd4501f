import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program of the hub, such as `audit/main.ts`, until it ends. Its environment holds only the given variables.
 */
export function runCommand(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onOutput: (stdout: string, pid: number) => void = () => undefined,
): Promise<Ended> {
  const file = fileURLToPath(new URL(`../${program}`, import.meta.url));
  const flags = ['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'];
  const { NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [...flags, file, ...args], {
    // This folder has no .env file.
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
