// Plain JavaScript for Node 20.
import { spawn } from 'node:child_process';

/**
 * Runs a command to its end. Resolves with its exit code, or with null and an error if it could not be started or takes
 * longer than `timeoutMs`. `stderr` has the command's standard error if `stdio` pipes it. Several calls can run at the
 * same time.
 */
export function runCommand(command, args, { timeoutMs = 1_800_000, ...options } = {}) {
  return new Promise((done) => {
    let stderr = '';
    const child = spawn(command, args, { signal: AbortSignal.timeout(timeoutMs), ...options });
    child.stderr?.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
    child.once('error', (failure) => {
      const isLate = failure.name === 'AbortError';
      const late = `${command} did not end within ${timeoutMs / 60_000} minutes`;
      done({ status: null, stderr, error: isLate ? new Error(late) : failure });
    });
    child.once('close', (status) => done({ status, stderr, error: null }));
  });
}
