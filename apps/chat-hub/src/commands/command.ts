import { createChatStore, ChatStoreError, type ChatStore } from '@openclaw/chat-store';
import { openMaintenance } from '@openclaw/chat-store/maintenance';
import { ConfigError, readConfig } from '../config.ts';

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

/**
 * Opens the database that the hub's environment names. It must exist, and is not migrated here: hubs of an earlier
 * release may be serving it.
 */
export async function openStore(): Promise<ChatStore> {
  const { databaseUrl: url } = readConfig();
  const maintenance = await openMaintenance(url);
  try {
    const { pending } = await maintenance.schema();
    if (pending.length > 0) {
      const message = 'the database must be migrated first: see npm run migrate -- --plan';
      throw new CommandError('failed', message);
    }
  } finally {
    await maintenance.close();
  }
  return createChatStore({ url, sweepEveryMs: neverMs });
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
