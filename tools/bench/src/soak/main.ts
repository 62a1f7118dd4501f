import { writeFileSync } from 'node:fs';
import { CommandLineError } from '../command-line.ts';
import { parseCommandLine, type CommandLine } from './command-line.ts';
import { createRandom } from './random.ts';
import { formatReport } from './report.ts';
import { runSoak } from './run-soak.ts';
import { createSchedule, formatFault } from './schedule.ts';

const pauseMs = [3_000, 8_000] as const;
const guestEveryMs = 10_000;
const guestStayMs = [4_000, 15_000] as const;

function scheduleOf({ seed, faults, system, overlaps }: CommandLine) {
  return createSchedule(createRandom(seed).fork('schedule'), faults, system.hubs, {
    pauseMs,
    overlaps,
  });
}

function announce(command: CommandLine): string {
  let remainingMs = command.minutes * 60_000;
  const lines: string[] = [];
  for (const fault of scheduleOf(command)) {
    remainingMs -= fault.pauseMs + fault.holdMs + 1_000;
    if (remainingMs < 0 || lines.length >= 200) break;
    lines.push(`  ${formatFault(fault)}`);
  }
  return [`seed ${command.seed}, the schedule:`, ...lines].join('\n');
}

async function main(): Promise<number> {
  const command = parseCommandLine(process.argv.slice(2));
  if (typeof command === 'string') {
    console.log(command);
    return 0;
  }
  const interrupted = new AbortController();
  const interrupt = () => {
    if (interrupted.signal.aborted) process.exit(130);
    console.error('soak: ending early; once more to stop at once');
    interrupted.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  console.error(announce(command));
  const account = await runSoak(
    {
      seed: command.seed,
      system: command.system,
      fleet: command,
      workload: { rate: command.rate, guestEveryMs, guestStayMs },
      durationMs: command.minutes * 60_000,
      schedule: scheduleOf(command),
    },
    { signal: interrupted.signal, onProgress: (line) => console.error(line) },
  );
  console.log(formatReport(account));
  if (command.jsonFile !== undefined)
    writeFileSync(command.jsonFile, `${JSON.stringify(account, null, 2)}\n`);
  if (account.violationCount > 0) return 1;
  return account.isInterrupted ? 130 : 0;
}

try {
  // Otherwise an open handle, such as the last socket of a proxy, would keep the process alive.
  process.exit(await main());
} catch (error) {
  const isOurs = error instanceof CommandLineError;
  console.error(`soak: ${isOurs ? `${error.message} (--help shows the options)` : String(error)}`);
  if (!isOurs && error instanceof Error) console.error(error.stack);
  process.exit(2);
}
