import { writeFileSync } from 'node:fs';
import { allSystems, allWorks, chosen, readySystems } from './catalogue.ts';
import { CommandLineError, help, parseCommandLine, type CommandLine } from './command-line.ts';
import { formatRun, formatWork, machine, type Run } from './report.ts';

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

/** Works in turn: each round runs the work once on every system, so that a slow minute of the machine hits all. */
async function bench(command: CommandLine): Promise<number> {
  const works = chosen('--work', allWorks(command), command.works);
  const systems = await readySystems(command, (line) => console.error(`bench: ${line}`));
  if (systems.length === 0) throw new CommandLineError('none of the systems can run here');
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
