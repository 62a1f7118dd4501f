// Plain JavaScript for Node 20.
import { spawn } from 'node:child_process';

/**
 * Runs a command to its end. Resolves with its exit code, or with null and an error if it could not be started.
 * `stderr` has the command's standard error if `stdio` pipes it. Several calls can run at the same time.
 */
export function runCommand(command, args, options) {
  return new Promise((done) => {
    let stderr = '';
    const child = spawn(command, args, options);
    child.stderr?.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
    child.once('error', (error) => done({ status: null, stderr, error }));
    child.once('close', (status) => done({ status, stderr, error: null }));
  });
}
