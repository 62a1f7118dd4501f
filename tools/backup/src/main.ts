import { constants } from 'node:os';
import { ConfigError, readConfig, type Config } from '@openclaw/chat-hub/config';
import { ChatStoreError } from '@openclaw/chat-store';
import { backUp } from './backup.ts';
import { parseCommandLine, type Command } from './command-line.ts';
import { BackupError, exitCodes } from './failure.ts';
import { migrateDatabase } from './migrate.ts';
import { createProgress } from './progress.ts';
import { restore } from './restore.ts';

type CommandName = Exclude<Command['name'], 'help'>;
const names: readonly string[] = ['backup', 'restore', 'migrate'] satisfies CommandName[];

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function configured(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (error instanceof ConfigError)
      throw new BackupError('usage', `the hub's configuration is not valid:\n${error.message}`);
    throw error;
  }
}

async function run(command: Command, signal: AbortSignal): Promise<string> {
  if (command.name === 'help') return command.text;
  const { databaseUrl, redis } = configured();
  const progress = createProgress(command.name, (line) => process.stderr.write(line));
  if (command.name === 'migrate') return migrateDatabase(databaseUrl, command);
  // The configuration loads .env, so the environment is read after it.
  const env = process.env;
  if (command.name === 'restore') {
    const identity = command.identity ?? (env['BACKUP_AGE_IDENTITY'] || null);
    return restore({ databaseUrl, redis }, { ...command, identity }, progress, signal);
  }
  const redisUser = {
    user: env['BACKUP_REDIS_USER'] || undefined,
    password: env['BACKUP_REDIS_PASSWORD'] || undefined,
  };
  const encryptTo = command.encryptTo ?? (env['BACKUP_AGE_RECIPIENT'] || null);
  return backUp({ databaseUrl, redis, redisUser }, { ...command, encryptTo }, progress, signal);
}

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2);
  if (!names.includes(name))
    throw new BackupError('usage', `the command is one of ${names.join(', ')}`);
  const interrupted = new AbortController();
  const received: (typeof signals)[number][] = [];
  for (const signal of signals) {
    process.on(signal, () => {
      // A second signal ends the process without the clean-up. A later backup removes the leftovers.
      if (received.length > 0) process.exit(128 + constants.signals[signal]);
      received.push(signal);
      interrupted.abort(new BackupError('failed', 'interrupted'));
    });
  }
  try {
    const command = parseCommandLine(name as CommandName, args);
    process.stdout.write(`${await run(command, interrupted.signal)}\n`);
    return 0;
  } catch (error) {
    const isExpected = error instanceof BackupError || error instanceof ChatStoreError;
    const failure = interrupted.signal.aborted ? (interrupted.signal.reason as Error) : error;
    const text = failure instanceof Error ? failure.message : String(failure);
    process.stderr.write(`${name}: ${text}\n`);
    if (!isExpected && received.length === 0 && error instanceof Error && !('code' in error))
      process.stderr.write(`${error.stack}\n`);
    if (received[0] !== undefined) return 128 + constants.signals[received[0]];
    return error instanceof BackupError ? exitCodes[error.code] : exitCodes.failed;
  }
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return error instanceof BackupError ? exitCodes[error.code] : exitCodes.failed;
});
