import { writeFileSync } from 'node:fs';
import { allSystems, allWorks, chosen } from './catalogue.ts';
import { CommandLineError, help, parseCommandLine, type CommandLine } from './command-line.ts';
import { formatRun, formatWork, machine, type Run } from './report.ts';

function list() {
  const systems = allSystems({ hubFolders: [], hubProgram: '', hubFlags: [] });
  const works = allWorks({ rates: null, agents: null, channels: null });
  for (const { name, description } of [...works, ...systems])
    console.log(`${name}: ${description}`);
}

/** Works in turn: each round runs the work once on every system, so that a slow minute of the machine hits all. */
async function bench(command: CommandLine): Promise<number> {
  const systems = chosen(allSystems(command), command.systems && withHubs(command));
  const works = chosen(allWorks(command), command.works);
  if (systems.length === 0) throw new CommandLineError('--against names no system (see --list)');
  if (works.length === 0) throw new CommandLineError('--work names no work (see --list)');
  const names = systems.map(({ name }) => name);
  const reference =
    command.relativeTo ?? names.find((name) => name === 'centrifugo') ?? names[0] ?? '';
  if (!names.includes(reference))
    throw new CommandLineError(`--relative-to must be one of ${names.join(', ')}`);

  const startedAt = new Date();
  const runs: Run[] = [];
  let failures = 0;
  console.log(`${machine()}, ${startedAt.toISOString().slice(0, 10)}`);
  for (const work of works) {
    for (let round = 1; round <= command.rounds; round += 1) {
      for (const system of systems) {
        const label = `${work.name}, ${system.name}, round ${round} of ${command.rounds}`;
        try {
          const measured = await work.run(system, command.effort);
          runs.push({ work: work.name, system: system.name, round, measured });
          console.error(`${label}: ${formatRun(work, measured)}`);
          for (const note of measured.notes) console.error(`  ${note}`);
        } catch (error) {
          failures += 1;
          console.error(
            `${label}: failed: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
      }
    }
    console.log(`\n${formatWork(work, runs, reference)}`);
    if (command.jsonFile !== null)
      writeFileSync(
        command.jsonFile,
        `${JSON.stringify({ machine: machine(), startedAt, command, runs }, null, 2)}\n`,
      );
  }
  return failures > 0 ? 1 : 0;
}

/** A hub that --hub-dir names need not be named by --against too. */
function withHubs({ systems, ...options }: CommandLine): string[] {
  const others = allSystems(options).filter(({ name }) => name.startsWith('hub@'));
  return [...new Set([...others.map(({ name }) => name), ...(systems ?? [])])];
}

// The servers are killed in the exit handler, which a default SIGINT would skip.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

try {
  const command = parseCommandLine(process.argv.slice(2));
  if (command === 'help') console.log(help);
  else if (command === 'list') list();
  process.exit(typeof command === 'string' ? 0 : await bench(command));
} catch (error) {
  if (error instanceof CommandLineError)
    console.error(`bench: ${error.message} (--help shows the options)`);
  else console.error(error);
  process.exit(2);
}
