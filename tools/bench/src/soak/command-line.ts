import { choiceOf, numberOf, parseOptions } from '../command-line.ts';
import { faultKind, faultKinds, fittingFaults, type FaultName } from './faults.ts';
import type { SystemOptions } from './system.ts';

export interface CommandLine {
  readonly minutes: number;
  readonly seed: number;
  readonly system: SystemOptions;
  readonly faults: readonly FaultName[];
  readonly overlaps: boolean;
  readonly rate: number;
  readonly agents: number;
  readonly channels: number;
  readonly directs: number;
  readonly jsonFile: string | undefined;
}

export const help = `Usage: npm run soak -- [options]

Runs hubs, Redis and a database under random faults, and checks every message.

  --minutes <m>       how long faults are injected (default 5); about a minute of checks follows
  --seed <n>          the seed of the schedule (default: by the clock)
  --db <name>         sqlite or postgres (default sqlite)
  --redis <name>      single or sentinel (default single)
  --hubs <n>          hubs (default 3)
  --faults <a,b>      only these kinds of faults
  --overlap           injects two faults of different parts at a time
  --rate <n>          operations per second (default 150)
  --agents <n>        agents; every third has two connections (default 12)
  --channels <n>      channels that every agent follows (default 3)
  --directs <n>       direct channels of the first agent (default 205: more than a welcome lists)
  --json <file>       also writes the report as JSON
  --list              prints the kinds of faults
  --help              prints this help

The exit code is 0 without a violation, 1 with one, 2 if the run could not begin, 130 if it was interrupted without one.`;

export function listOfFaults(): string {
  const names = Object.keys(faultKinds) as FaultName[];
  const width = Math.max(...names.map((name) => name.length));
  return names.map((name) => `${name.padEnd(width)}  ${faultKind(name).text}`).join('\n');
}

function parse(args: readonly string[]) {
  const string = (value: string) => ({ type: 'string', default: value }) as const;
  return parseOptions(args, {
    minutes: string('5'),
    seed: string(String(Math.floor(Date.now() / 1000))),
    db: string('sqlite'),
    redis: string('single'),
    hubs: string('3'),
    faults: { type: 'string' },
    rate: string('150'),
    agents: string('12'),
    channels: string('3'),
    directs: string('205'),
    json: { type: 'string' },
    overlap: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
}

/** For `--help` and `--list`, returns the text to print. @throws {CommandLineError} */
export function parseCommandLine(args: readonly string[]): CommandLine | string {
  const values = parse(args);
  if (values.help) return help;
  if (values.list) return listOfFaults();
  const system: SystemOptions = {
    db: choiceOf('db', values.db, ['sqlite', 'postgres']),
    redis: choiceOf('redis', values.redis, ['single', 'sentinel']),
    hubs: numberOf('hubs', values.hubs, 2),
  };
  const fitting = fittingFaults(system);
  const asked = values.faults?.split(',').map((name) => name.trim());
  return {
    system,
    minutes: numberOf('minutes', values.minutes, 0.1, false),
    seed: numberOf('seed', values.seed, 0),
    faults: asked ? asked.map((name) => choiceOf('faults', name, fitting)) : fitting,
    overlaps: values.overlap,
    rate: numberOf('rate', values.rate, 0),
    agents: numberOf('agents', values.agents, 2),
    channels: numberOf('channels', values.channels, 1),
    directs: numberOf('directs', values.directs, 0),
    jsonFile: values.json,
  };
}
