import { randomInt } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import { hasHubPort } from './config.ts';
import { minAgents } from './personas.ts';

export interface CommandLine {
  readonly agents: number;
  readonly pace: number;
  readonly seed: number;
  readonly port: number | null;
  readonly data: string;
  /** Null if the demo is to start its own hub. */
  readonly url: string | null;
}

const examples = `
Examples:
  $ npm run demo                                  # a hub on http://127.0.0.1:8080, with 25 agents in it
  $ npm run demo -- --agents 60 --pace 3          # more agents, faster
  $ npm run demo -- --url http://127.0.0.1:8081   # in a running hub with HUB_AUTH=dev

Open the address that it prints, pick a name, and say something in #lobby. Ctrl-C ends it.`;

function numberFrom(min: number, max: number, isWhole: boolean) {
  return (text: string): number => {
    const value = Number(text);
    const isGood = text.trim() !== '' && value >= min && value <= max;
    if (!isGood || (isWhole && !Number.isInteger(value)))
      throw new InvalidArgumentError(
        `It must be a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}.`,
      );
    return value;
  };
}

function portOption(): Option {
  const option = new Option(
    '--port <n>',
    'the hub’s port (default: HUB_PORT, or 8080, or a free one)',
  );
  option.argParser(numberFrom(1, 65_535, true));
  return hasHubPort() ? option.env('HUB_PORT') : option;
}

function createCommand(): Command {
  return new Command('demo')
    .description('Starts a chat hub with a simulated fleet of agents in it.')
    .option('--agents <n>', 'agents', numberFrom(minAgents, 500, true), 25)
    .option(
      '--pace <x>',
      'at 1 a person can read along, 2 is twice as fast',
      numberFrom(0.1, 50, false),
      1,
    )
    .addOption(portOption())
    .option('--data <file>', 'the SQLite file, kept from one demo to the next', '.data/demo.sqlite')
    .option('--url <url>', 'joins a running hub instead of starting one')
    .option('--seed <n>', 'repeats the same scenes', numberFrom(0, 2 ** 32 - 1, true))
    .addHelpText('after', examples)
    .showHelpAfterError('(--help shows the options)');
}

export function parseCommandLine(args: readonly string[]): CommandLine {
  const command = createCommand().exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : 2);
  });
  const given = command.parse(args, { from: 'user' }).opts<Partial<CommandLine>>();
  return {
    agents: given.agents ?? 25,
    pace: given.pace ?? 1,
    seed: given.seed ?? randomInt(2 ** 32),
    port: given.port ?? null,
    data: given.data ?? '',
    url: given.url ?? null,
  };
}
