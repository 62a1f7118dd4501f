import { randomBytes } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import { readSecret } from './config.ts';
import { LoadgenError } from './errors.ts';
import type { Identity, Plan, Scenario } from './plan.ts';
import { targetDefaults, type Targets } from './targets.ts';

/** The options of the command line. */
export interface CommandLine {
  readonly plan: Plan;
  readonly identity: Identity;
  readonly targets: Targets;
  readonly hubPid: number | undefined;
  readonly jsonFile: string | undefined;
  readonly keepChannels: boolean;
}

interface Flags extends Targets {
  readonly url: string;
  readonly agents: number;
  readonly rate?: number;
  readonly duration: number;
  readonly warmup: number;
  readonly channels?: number;
  readonly scenario: Scenario;
  readonly typingRate: number;
  readonly presenceRate: number;
  readonly reactionRate: number;
  readonly contentChars: number;
  readonly workers: number;
  readonly token?: string;
  readonly tokenSecretEnv?: string;
  readonly hubPid?: number;
  readonly json?: string;
  readonly keep: boolean;
}

const scenarios: Readonly<Record<Scenario, { readonly rate: number; readonly channels: number }>> =
  {
    hall: { rate: 1_000, channels: 1 },
    teams: { rate: 4_000, channels: 20 },
  };

const examples = `
Examples:
  $ npm start                                          # a hub, in another terminal
  $ npm run loadgen -- --hub-pid 12345                 # the hub prints its pid when it starts
  $ npm run loadgen -- --url wss://staging.example.com --token-secret-env HUB_JWT_SECRET --rate 2000 --workers 2
  $ npm run loadgen -- --scenario teams --duration 30 --json teams.json

Latency counts from the due time of an operation, so a stalled hub shows as latency. The exit code is 0 if every
target holds, 1 if one does not, 2 if the run could not begin, 130 if it was interrupted.`;

function number(minimum: number, isWhole = false) {
  return (text: string): number => {
    const value = Number(text);
    if (
      text.trim() === '' ||
      !Number.isFinite(value) ||
      value < minimum ||
      (isWhole && !Number.isInteger(value))
    ) {
      throw new InvalidArgumentError(
        `It must be a ${isWhole ? 'whole ' : ''}number from ${minimum} on.`,
      );
    }
    return value;
  };
}

function createCommand(): Command {
  const target = (flags: string, text: string, key: keyof Targets) =>
    new Option(flags, text).argParser(number(0)).default(targetDefaults[key]);
  return new Command('loadgen')
    .description(
      'Plays a fleet of agents against a chat hub and says whether it holds the targets.',
    )
    .option('--url <url>', 'the hub', 'ws://127.0.0.1:8080')
    .addOption(
      new Option('--scenario <name>', 'hall: all in every channel; teams: each in one')
        .choices(['hall', 'teams'])
        .default('hall'),
    )
    .option('--agents <n>', 'agents', number(1, true), 111)
    .option('--channels <n>', 'channels (default: 1 in the hall, 20 teams)', number(1, true))
    .option(
      '--rate <n>',
      'messages a second, over all agents (default: 1000 in the hall, 4000 in teams)',
      number(0),
    )
    .option('--duration <s>', 'seconds that are measured', number(0.1), 10)
    .option('--warmup <s>', 'seconds of warm-up, not measured', number(0), 4)
    .option('--typing-rate <n>', 'typing starts a second', number(0), 5)
    .option('--presence-rate <n>', 'presence changes a second', number(0), 5)
    .option('--reaction-rate <n>', 'reactions a second', number(0), 10)
    .option('--content-chars <n>', 'length of a message', number(20, true), 120)
    .option('--workers <n>', 'threads that run the agents', number(1, true), 1)
    .option(
      '--token-secret-env <name>',
      'environment variable with the hub’s HS256 secret, to sign in by tokens',
    )
    .option('--token <jwt>', 'an admin’s token, to have the hub mint one for each agent')
    .option(
      '--hub-pid <pid>',
      'the hub’s process on this machine, to measure its CPU and memory',
      number(1, true),
    )
    .option('--json <file>', 'writes the outcome as JSON too')
    .option('--keep', 'keeps the channels at the end', false)
    .optionsGroup('Targets:')
    .addOption(target('--max-delivery-ms <ms>', 'message delivery, p99', 'maxDeliveryMs'))
    .addOption(target('--max-presence-ms <ms>', 'presence change, p99', 'maxPresenceMs'))
    .addOption(target('--max-typing-ms <ms>', 'typing, p99', 'maxTypingMs'))
    .addOption(target('--min-throughput <n>', 'operations a second', 'minThroughput'))
    .addOption(target('--max-memory-mb <n>', 'the hub’s memory', 'maxMemoryMb'))
    .addOption(target('--min-agents <n>', 'agents connected', 'minAgents'))
    .addOption(target('--max-errors <n>', 'failed operations', 'maxErrors'))
    .addHelpText('after', examples)
    .showHelpAfterError('(--help shows the options)');
}

function parseUrl(text: string): string {
  try {
    const url = new URL(text);
    if (/^(ws|http)s?:$/.test(url.protocol)) return url.href.replace(/^http/, 'ws');
  } catch {}
  throw new LoadgenError('invalid_options', `--url ${text} is not a ws:// or http:// address.`);
}

function identityOf({ token, tokenSecretEnv }: Flags): Identity {
  if (token !== undefined && tokenSecretEnv !== undefined) {
    throw new LoadgenError('invalid_options', 'Give --token or --token-secret-env, not both.');
  }
  if (tokenSecretEnv !== undefined) return { kind: 'secret', secret: readSecret(tokenSecretEnv) };
  return token === undefined ? { kind: 'dev' } : { kind: 'admin', token };
}

/** Parses the arguments. `--help` ends the process with 0, invalid arguments with 2. @throws {LoadgenError} */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const command = createCommand().exitOverride((error) => {
    // Commander exits with 1 for invalid arguments, but here 1 means a failed target.
    process.exit(error.exitCode === 0 ? 0 : 2);
  });
  const flags = command.parse(args, { from: 'user' }).opts<Flags>();
  const { scenario, agents } = flags;
  const runId = randomBytes(4).toString('hex');
  const channelCount = flags.channels ?? Math.min(agents, scenarios[scenario].channels);
  if (flags.workers > agents)
    throw new LoadgenError('invalid_options', '--workers must not exceed --agents.');
  return {
    plan: {
      runId,
      scenario,
      agents,
      url: parseUrl(flags.url),
      channels: Array.from({ length: channelCount }, (_, index) => `load-${runId}-${index}`),
      rate: flags.rate ?? scenarios[scenario].rate,
      // Each typing lasts a second, and an agent types once at a time.
      typingRate: Math.min(flags.typingRate, agents / 2),
      presenceRate: flags.presenceRate,
      reactionRate: flags.reactionRate,
      durationMs: flags.duration * 1000,
      warmupMs: flags.warmup * 1000,
      contentChars: flags.contentChars,
      workers: flags.workers,
    },
    identity: identityOf(flags),
    targets: flags,
    hubPid: flags.hubPid,
    jsonFile: flags.json,
    keepChannels: flags.keep,
  };
}
