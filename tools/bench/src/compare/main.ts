import { writeFileSync } from 'node:fs';
import { allSystems, allWorks, chosen, readySystems } from './catalogue.ts';
import { CommandLineError } from '../command-line.ts';
import { help, parseCommandLine, type CommandLine } from './command-line.ts';
import { writeSection } from './markdown-sections.ts';
import { runGrowth } from '../growth/run-growth.ts';
import { runMicro } from '../micro/run-micro.ts';
import { formatRun, formatWork, machine, originOf, type Run } from './report.ts';
import type { System } from './systems/system.ts';
import type { Work } from './works/work.ts';

function list() {
  const works = allWorks({ rates: null, agents: null, channels: null, sockets: 2_000 });
  const systems = allSystems({ systems: null, hubFolders: [], hubProgram: '', hubFlags: [] });
  for (const [title, all] of [
    ['Works', works],
    ['Systems', systems],
  ] as const) {
    console.log(`${title}:`);
    for (const { name, description } of all) console.log(`  ${name}: ${description}`);
  }
}

/** Each round measures every system in turn, so that a slow minute affects all of them. */
async function* runsOf(
  work: Work,
  systems: readonly System[],
  { rounds, effort }: CommandLine,
  signal: AbortSignal,
): AsyncGenerator<Run | null> {
  for (let round = 1; round <= rounds; round += 1) {
    for (const system of systems) {
      const label = `${work.name}, ${system.name}, round ${round} of ${rounds}`;
      let run: Run | null = null;
      try {
        const measured = await work.run(system, { ...effort, signal });
        run = { work: work.name, system: system.name, round, measured };
        console.error(`${label}: ${formatRun(work, measured)}`);
        for (const note of measured.notes) console.error(`  ${note}`);
      } catch (error) {
        if (signal.aborted) return;
        console.error(
          `${label}: failed: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      yield run;
      if (signal.aborted) return;
    }
  }
}

async function bench(command: CommandLine, signal: AbortSignal): Promise<number> {
  const works = chosen('--work', allWorks(command), command.works);
  const systems = await readySystems(command, (line) => console.error(`bench: ${line}`));
  if (systems.length === 0) throw new CommandLineError('none of the systems can run here');
  const names = systems.map(({ name }) => name);
  const reference =
    command.relativeTo ?? names.find((name) => name === 'centrifugo') ?? names[0] ?? '';
  if (!names.includes(reference))
    throw new CommandLineError(`--relative-to must be one of ${names.join(', ')}`);

  const date = new Date();
  const origin = originOf(process.argv.slice(2));
  const runs: Run[] = [];
  let failures = 0;
  for (const work of works) {
    for await (const run of runsOf(work, systems, command, signal)) {
      if (run === null) failures += 1;
      else runs.push(run);
    }
    if (runs.every((run) => run.work !== work.name)) continue;
    const section = formatWork(work, runs, { reference, origin });
    console.log(`\n${section}`);
    const { jsonFile, markdownFile } = command;
    if (jsonFile !== null) {
      const report = { machine: machine(), date, command, runs };
      writeFileSync(jsonFile, `${JSON.stringify(report, null, 2)}\n`);
    }
    if (markdownFile !== null && !signal.aborted) writeSection(markdownFile, work.name, section);
  }
  if (signal.aborted) return 130;
  return failures > 0 ? 1 : 0;
}

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // The exit handler kills the servers.
    if (interrupted.signal.aborted) process.exit(130);
    console.error('bench: stopping the servers; once more to stop at once');
    interrupted.abort();
  });
}

try {
  const [first, ...rest] = process.argv.slice(2);
  if (first === 'micro') process.exit(await runMicro(rest, interrupted.signal));
  if (first === 'growth') process.exit(await runGrowth(rest, interrupted.signal));
  const command = parseCommandLine(process.argv.slice(2));
  if (command === 'help') console.log(help);
  else if (command === 'list') list();
  process.exit(typeof command === 'string' ? 0 : await bench(command, interrupted.signal));
} catch (error) {
  if (error instanceof CommandLineError)
    console.error(`bench: ${error.message} (--help shows the options)`);
  else console.error(error);
  process.exit(2);
}
