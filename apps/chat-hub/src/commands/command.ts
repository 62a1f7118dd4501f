import { hostname, userInfo } from 'node:os';
import {
  createChatStore,
  ChatStoreError,
  type AuditRecord,
  type ChatStore,
} from '@openclaw/chat-store';
import { ConfigError, readConfig, type Config } from '../config.ts';

/** Ends a command with its message and an exit code: 1 for a failure, 2 for wrong arguments. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: 'failed' | 'usage';

  constructor(code: CommandError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Longer than any command runs: a command sweeps nothing, because the hubs do. */
const neverMs = 2_000_000_000;

/** The hub's own configuration. @throws {ConfigError} */
export function settings(): Config {
  return readConfig();
}

/** Opens the database that the hub's environment names. */
export function openStore(): Promise<ChatStore> {
  return createChatStore({ url: settings().databaseUrl, sweepEveryMs: neverMs });
}

/** The user of this machine who runs the command, for the audit log and for receipts. */
export function commandUser(): string {
  return `${userInfo().username}@${hostname()}`.slice(0, 128);
}

/** The record of an administrative act that this command does. */
export function commandRecord(
  action: string,
  target: string,
  details: AuditRecord['details'],
): AuditRecord {
  const actor = commandUser();
  const nowhere = { address: null, requestId: null, hubId: null };
  return { actor, action, target, details, via: 'command', ...nowhere };
}

/** Writes a line about the progress; results alone go to standard output. */
export function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Runs a command to its end, and exits with 1 or 2 and one sentence if it failed. */
export async function runCommand(name: string, run: () => Promise<void>): Promise<void> {
  // The reader of the output, such as `head`, has what it wanted.
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
