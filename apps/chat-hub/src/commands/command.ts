import { existsSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import {
  createChatStore,
  ChatStoreError,
  type AuditRecord,
  type ChatStore,
} from '@openclaw/chat-store';
import { openMaintenance } from '@openclaw/chat-store/maintenance';
import { ConfigError, readConfig, type Config } from '../config.ts';

/** The process exits with 1 for `failed`, and with 2 for `usage`. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: 'failed' | 'usage';

  constructor(code: CommandError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Longer than any command runs, so that only hubs sweep the store. */
const neverMs = 2_000_000_000;

export function settings(): Config {
  return readConfig();
}

/**
 * Does not migrate the database, because hubs of an earlier release may use it. The database must exist, unless
 * `mayCreate`.
 */
export async function openCommandStore({ mayCreate = false } = {}): Promise<ChatStore> {
  const { databaseUrl: url } = settings();
  const isMissingFile = url.startsWith('sqlite:') && !existsSync(url.slice('sqlite:'.length));
  if (!mayCreate || !isMissingFile) await refuseUnmigrated(url, mayCreate);
  return createChatStore({ url, sweepEveryMs: neverMs });
}

async function refuseUnmigrated(url: string, mayBeEmpty: boolean): Promise<void> {
  const maintenance = await openMaintenance(url);
  try {
    const { applied, pending } = await maintenance.schema();
    if (pending.length > 0 && !(mayBeEmpty && applied.length === 0)) {
      const message = 'the database must be migrated first: see npm run migrate -- --plan';
      throw new CommandError('failed', message);
    }
  } finally {
    await maintenance.close();
  }
}

export function commandUser(): string {
  return `${userInfo().username}@${hostname()}`.slice(0, 128);
}

export function commandRecord(
  action: string,
  target: string,
  details: AuditRecord['details'],
): AuditRecord {
  const actor = commandUser();
  const nowhere = { address: null, requestId: null, hubId: null };
  return { actor, action, target, details, via: 'command', ...nowhere };
}

export function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Prints an expected error as one sentence, and sets the exit code to 1 or 2. Rejects with any other error. */
export async function runCommand(name: string, run: () => Promise<void>): Promise<void> {
  // A program that reads the output, such as `head`, closes the pipe when it needs no more. The command then ends.
  process.stdout.on('error', () => process.exit(1));
  try {
    await run();
  } catch (error) {
    const isExpected = [CommandError, ConfigError, ChatStoreError].some(
      (one) => error instanceof one,
    );
    if (!isExpected) throw error;
    progress(`${name}: ${(error as Error).message}`);
    process.exitCode = error instanceof CommandError && error.code === 'usage' ? 2 : 1;
  }
}
