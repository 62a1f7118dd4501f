import { Command, InvalidArgumentError, Option } from 'commander';
import { readCertificate, readSecret } from './config.ts';
import { LoadgenError } from './errors.ts';
import { createPlan, type PlanOverrides } from './plan/create-plan.ts';
import type { Identity, Plan } from './plan/plan.ts';
import { readScenarioFile } from './plan/scenario-file.ts';
import { isScenarioName, scenarioNames, scenarios, type Scenario } from './plan/scenarios.ts';
import type { ThresholdOverrides } from './plan/thresholds.ts';

export interface ReportFiles {
  readonly html: string | undefined;
  readonly json: string | undefined;
  readonly junit: string | undefined;
  readonly prometheus: string | undefined;
}

export interface CommandLine {
  readonly plan: Plan;
  readonly identity: Identity;
  readonly hubPid: number | undefined;
  readonly keepChannels: boolean;
  readonly reportFiles: ReportFiles;
  readonly compareFile: string | undefined;
  readonly thresholdsFile: string | undefined;
  readonly thresholds: ThresholdOverrides;
}

interface Flags extends ThresholdOverrides, PlanOverrides {
  readonly url: readonly string[];
  readonly scenario: string;
  readonly token?: string;
  readonly tokenSecretEnv?: string;
  readonly ca?: string;
  readonly insecure: boolean;
  readonly hubPid?: number;
  readonly thresholds?: string;
  readonly html: string | false;
  readonly json?: string;
  readonly junit?: string;
  readonly prometheus?: string;
  readonly compare?: string;
  readonly keep: boolean;
}

const examples = `
Examples:
  $ npm start                                          # a hub, in another terminal
  $ npm run loadgen -- --scenario day
  $ npm run loadgen -- --url wss://staging.example.com --token-secret-env HUB_JWT_SECRET --rate 500
  $ npm run loadgen -- --scenario teams --rate 200 --ramp --json teams.json

Latency counts from the due time of an operation, so a stalled hub shows as latency. The exit code is 0 if every
threshold holds, 1 if one does not, 3 if this machine was too busy to judge (inconclusive), 2 if the run could not begin,
130 if it was interrupted.`;

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

const growthDefault = '1.5';

function growth(text: string): number {
  const value = number(1)(text);
  if (value === 1) throw new InvalidArgumentError('It must be more than 1.');
  return value;
}

function createCommand(): Command {
  return new Command('loadgen')
    .description(
      'Plays a fleet of agents against a chat hub and says whether it holds the thresholds.',
    )
    .option('--url <url...>', 'the hub; several share the agents', ['ws://127.0.0.1:8080'])
    .option('--scenario <name>', `${scenarioNames.join(', ')}, or a JSON file`, 'hall')
    .option('--hub-pid <pid>', 'the hub’s process here, to measure CPU and memory', number(1, true))
    .option('--keep', 'keeps the channels at the end', false)
    .optionsGroup('Load (default: the scenario’s):')
    .option('--agents <n>', 'agents; fewer also lower the rates', number(1, true))
    .option('--channels <n>', 'channels', number(1, true))
    .option('--rate <n>', 'messages a second, over all agents', number(0))
    .option('--reply-rate <n>', 'replies in threads a second', number(0))
    .option('--reaction-rate <n>', 'reactions a second', number(0))
    .option('--typing-rate <n>', 'typing starts a second', number(0))
    .option('--presence-rate <n>', 'presence changes a second', number(0))
    .option('--direct-rate <n>', 'direct messages a second', number(0))
    .option('--history-rate <n>', 'pages of history a second', number(0))
    .option('--rejoin-rate <n>', 'leaves with a join after each, a second', number(0))
    .option('--content-chars <n>', 'length of a message', number(20, true))
    .option('--duration <s>', 'seconds that are measured, of each stage', number(0.1))
    .option('--warmup <s>', 'seconds of warm-up, not measured', number(0))
    .addOption(
      new Option('--ramp [growth]', 'multiplies the load from stage to stage until it breaks')
        .argParser(growth)
        .preset(growthDefault),
    )
    .option('--workers <n>', 'threads that run the agents (default: by load)', number(1, true))
    .optionsGroup('Sign-in and TLS:')
    .option(
      '--token-secret-env <name>',
      'environment variable with the hub’s HS256 secret, to sign in by tokens',
    )
    .option('--token <jwt>', 'an admin’s token, to have the hub mint one for each agent')
    .option('--ca <file>', 'certificate authority of the hub, PEM')
    .option('--insecure', 'accepts any certificate', false)
    .optionsGroup('Reports:')
    .option('--html <file>', 'one file with plots', 'loadgen-report.html')
    .option('--no-html', 'writes no HTML')
    .option('--json <file>', 'everything, for --compare')
    .option('--junit <file>', 'JUnit XML, for CI')
    .option('--prometheus <file>', 'Prometheus text')
    .option('--compare <file>', 'compares with the JSON report of a former run')
    .optionsGroup('Thresholds (these have precedence over the file):')
    .option('--thresholds <file>', 'JSON, per kind of call (default: thresholds.json)')
    .option('--max-delivery-ms <ms>', 'message delivery, p99', number(0))
    .option('--max-presence-ms <ms>', 'presence change, p99', number(0))
    .option('--max-typing-ms <ms>', 'typing, p99', number(0))
    .option('--min-throughput <n>', 'acknowledged calls a second', number(0))
    .option('--max-memory-mb <n>', 'the hub’s memory', number(0))
    .option('--min-agents <n>', 'agents connected', number(0, true))
    .option('--max-errors <n>', 'failed calls', number(0, true))
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

function scenarioOf(name: string): Scenario {
  if (isScenarioName(name)) return scenarios[name];
  if (name.endsWith('.json')) return readScenarioFile(name);
  throw new LoadgenError(
    'invalid_options',
    `There is no scenario ${name}. Allowed are ${scenarioNames.join(', ')}, and a file whose name ends with .json.`,
  );
}

/** `--help` ends the process with 0, invalid arguments with 2. @throws {LoadgenError} */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const command = createCommand().exitOverride((error) => {
    // Commander exits with 1 for invalid arguments, but here 1 means a failed threshold.
    process.exit(error.exitCode === 0 ? 0 : 2);
  });
  const flags = command.parse(args, { from: 'user' }).opts<Flags>();
  const identity = identityOf(flags);
  const tls = {
    ca: flags.ca === undefined ? null : readCertificate(flags.ca),
    isInsecure: flags.insecure,
  };
  return {
    plan: createPlan(scenarioOf(flags.scenario), flags.url.map(parseUrl), tls, flags),
    identity,
    hubPid: flags.hubPid,
    keepChannels: flags.keep,
    reportFiles: {
      html: flags.html === false ? undefined : flags.html,
      json: flags.json,
      junit: flags.junit,
      prometheus: flags.prometheus,
    },
    compareFile: flags.compare,
    thresholdsFile: flags.thresholds,
    thresholds: flags,
  };
}
