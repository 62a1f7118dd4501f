import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BackupError } from './failure.ts';

/** Secrets must be in `env`, because `ps` shows arguments. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** If the program is missing, the error names this package. */
  readonly debianPackage?: string;
}

export interface RunOptions {
  readonly signal: AbortSignal;
  readonly input?: Readable;
}

const maxOutput = 1024 * 1024;
const maxMessage = 2000;

/**
 * Resolves with the last MiB of the standard output.
 * @throws {BackupError} `failed`, with what the program wrote to standard error
 */
export async function runProgram(program: Program, { signal, input }: RunOptions): Promise<string> {
  signal.throwIfAborted();
  const child = spawn(program.command, [...program.args], {
    env: { ...process.env, ...program.env },
    stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGTERM',
  });
  let [output, complaint] = ['', ''];
  child.stdout?.on(
    'data',
    (chunk: Buffer) => (output = (output + chunk.toString()).slice(-maxOutput)),
  );
  child.stderr?.on(
    'data',
    (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-maxMessage)),
  );
  // An abort does not end this wait. So the program has written its last output before the clean-up begins.
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', (error) => error.name !== 'AbortError' && reject(error));
    child.once('close', (...how) => resolve(how));
  });
  // If the program ended early, its own message is better than the error of the broken pipe.
  const fed = input && child.stdin ? pipeline(input, child.stdin).catch(() => undefined) : null;
  const [code, killedBy] = await ended.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    const from = program.debianPackage ? ` (apt-get install ${program.debianPackage})` : '';
    throw new BackupError('failed', `${program.command} is not installed${from}`);
  });
  input?.destroy();
  await fed;
  signal.throwIfAborted();
  if (code === 0) return output;
  const how = code === null ? `was ended by ${killedBy}` : `failed with code ${code}`;
  throw new BackupError('failed', `${program.command} ${how}: ${complaint.trim()}`);
}
