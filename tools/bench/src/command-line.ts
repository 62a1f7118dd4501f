import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

export class CommandLineError extends Error {
  override readonly name = 'CommandLineError';
  readonly code = 'invalid_arguments';
}

type Values<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O }>
>['values'];

export function parseOptions<const O extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: O,
): Values<O> {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new CommandLineError(error instanceof Error ? error.message : String(error));
  }
}

export function numberOf(name: string, text: string, minimum: number, isWhole = true): number {
  const value = Number(text);
  const isGood = text.trim() !== '' && value >= minimum && (!isWhole || Number.isInteger(value));
  if (!isGood)
    throw new CommandLineError(
      `--${name} must be a ${isWhole ? 'whole ' : ''}number of at least ${minimum}`,
    );
  return value;
}

export function choiceOf<T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined)
    throw new CommandLineError(`--${name} must be one of ${choices.join(', ')}`);
  return found;
}

/**
 * Ends the process with the command's exit code, with 1 if it threw, or with 2 for invalid arguments. `--help` prints
 * the help.
 */
export async function runCommand<T>(
  name: string,
  help: string,
  read: (args: readonly string[]) => T,
  run: (options: T) => Promise<number>,
): Promise<never> {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    console.log(help);
    process.exit(0);
  }
  // The exit handler kills the servers. Without this listener, SIGINT would skip the handler.
  process.once('SIGINT', () => process.exit(130));
  try {
    process.exit(await run(read(args)));
  } catch (error) {
    const isUsage = error instanceof CommandLineError;
    console.error(`${name}:`, isUsage ? `${error.message}\n${help}` : error);
    process.exit(isUsage ? 2 : 1);
  }
}
