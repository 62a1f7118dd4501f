import { createChatStore, ChatStoreError, type ChatStore } from '@openclaw/chat-store';
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

/** Opens the database that the hub's environment names. */
export function openStore(): Promise<ChatStore> {
  return createChatStore({ url: readConfig().databaseUrl, sweepEveryMs: neverMs });
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
