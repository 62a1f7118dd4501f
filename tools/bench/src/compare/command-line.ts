import { CommandLineError, numberOf, parseOptions } from '../command-line.ts';
import type { Effort } from './works/work.ts';

export interface CommandLine {
  readonly works: readonly string[] | null;
  readonly systems: readonly string[] | null;
  readonly hubFolders: readonly string[];
  readonly hubProgram: string;
  readonly hubFlags: readonly string[];
  /** Null: each work uses its own rates. */
  readonly rates: readonly number[] | null;
  readonly agents: number | null;
  readonly channels: number | null;
  /** The works `sockets` and `storm` use this number of sockets. */
  readonly sockets: number;
  readonly rounds: number;
  readonly effort: Omit<Effort, 'signal'>;
  readonly isQuick: boolean;
  readonly relativeTo: string | null;
  readonly jsonFile: string | null;
  /** In this Markdown file, the run replaces the sections of its works. */
  readonly markdownFile: string | null;
}

export const help = `Usage: npm run bench -- [options], or npm run bench -- micro|growth [options]

Runs the same works on the hub and on other systems in turn, with the same clients, and prints medians and ratios.
micro compares single operations of the packages with other libraries; growth measures the
hub's costs as channels, members, history, sockets or hubs grow (micro --help, growth --help).

  --work <a,b>          only these works (--list prints them)
  --against <a,b>       only these systems, the hub's name being hub (--list prints them)
  --rounds <n>          runs of each work on each system, in turn (default 3)
  --seconds <s>         how long a load is measured (default 8); each step of a limit takes half of it
  --rate <a,b>          messages a second of the loads, in place of their own
  --agents <n>          agents of the loads, in place of their own
  --channels <n>        channels of the loads, in place of their own
  --sockets <n>         sockets of the works sockets and storm, a multiple of 20 (default 2000)
  --content-bytes <n>   length of a message's text (default 200)
  --quick               one round of a second: shows that everything works, measures nothing
  --relative-to <name>  the system to which ratios relate (default: centrifugo, else the first one)
  --hub-dir <folder>    also measures the hub of another checkout, as hub@<name of the folder>; may be repeated
  --hub-program <file>  what Node runs, from the root of each checkout (default apps/chat-hub/src/main.ts)
  --hub-flags=<flags>   flags of the hub's Node: --hub-flags="--cpu-prof --cpu-prof-dir=/tmp/profiles"
  --json <file>         also writes every run as JSON
  --write <file>        also replaces the sections of these works in a Markdown file, such as docs/performance.md
  --list                prints works and systems
  --help                prints this help

Tables go to standard output as Markdown, progress to standard error. The exit code is 0 when every run ended, 1 when
one failed, 2 for invalid arguments, 130 after Ctrl-C, which prints the tables of what was measured until then.`;

const optional = { type: 'string' } as const;
const listOf = (text: string) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

export function parseCommandLine(args: readonly string[]): CommandLine | 'help' | 'list' {
  const values = parseOptions(args, {
    work: optional,
    against: optional,
    rounds: optional,
    seconds: optional,
    rate: optional,
    agents: optional,
    channels: optional,
    sockets: optional,
    'content-bytes': { type: 'string', default: '200' },
    quick: { type: 'boolean', default: false },
    'relative-to': optional,
    'hub-dir': { type: 'string', multiple: true, default: [] },
    'hub-program': { type: 'string', default: 'apps/chat-hub/src/main.ts' },
    'hub-flags': { type: 'string', default: '' },
    json: optional,
    write: optional,
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help) return 'help';
  if (values.list) return 'list';
  const whole = (name: 'agents' | 'channels', text: string | undefined) =>
    text === undefined ? null : numberOf(name, text, 1);
  const { quick } = values;
  const seconds = numberOf('seconds', values.seconds ?? (quick ? '1' : '8'), 0.1, false);
  const sockets = numberOf('sockets', values.sockets ?? (quick ? '200' : '2000'), 20);
  if (sockets % 20 !== 0) throw new CommandLineError('--sockets must be a multiple of 20');
  return {
    works: values.work === undefined ? null : listOf(values.work),
    systems: values.against === undefined ? null : listOf(values.against),
    hubFolders: values['hub-dir'],
    hubProgram: values['hub-program'],
    hubFlags: values['hub-flags'].split(' ').filter(Boolean),
    rates:
      values.rate === undefined
        ? null
        : listOf(values.rate).map((rate) => numberOf('rate', rate, 1, false)),
    agents: whole('agents', values.agents),
    channels: whole('channels', values.channels),
    sockets,
    rounds: numberOf('rounds', values.rounds ?? (quick ? '1' : '3'), 1),
    effort: {
      warmUpMs: quick ? 300 : 3_000,
      durationMs: 1_000 * seconds,
      settleMs: quick ? 300 : 5_000,
      contentBytes: numberOf('content-bytes', values['content-bytes'], 40),
    },
    isQuick: quick,
    relativeTo: values['relative-to'] ?? null,
    jsonFile: values.json ?? null,
    markdownFile: values.write ?? null,
  };
}
