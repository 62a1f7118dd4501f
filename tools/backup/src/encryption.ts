import { existsSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { BackupError } from './failure.ts';
import { runProgram } from './run-program.ts';

const debianPackage = 'age';

export async function encrypt(
  from: string,
  to: string,
  recipient: string,
  signal: AbortSignal,
): Promise<void> {
  const flag = existsSync(recipient) ? '-R' : '-r';
  await runProgram(
    { command: 'age', args: [flag, recipient, '-o', to, from], debianPackage },
    { signal },
  );
  await chmod(to, 0o600);
}

export async function decrypt(
  from: string,
  to: string,
  identity: string | null,
  signal: AbortSignal,
): Promise<void> {
  if (identity === null) {
    throw new BackupError(
      'usage',
      'the archive is encrypted: give --identity or BACKUP_AGE_IDENTITY',
    );
  }
  if (!existsSync(identity))
    throw new BackupError('usage', `there is no identity file ${identity}`);
  await runProgram(
    { command: 'age', args: ['-d', '-i', identity, '-o', to, from], debianPackage },
    { signal },
  );
  await chmod(to, 0o600);
}
