import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ConfigError, parseConfig, readEnvironment, type Config } from '../config.ts';
import { usesColours } from '../observe/terminal.ts';
import { readReport, type HealthReport } from './health.ts';
import { screen } from './screen.ts';

const help = `npm run health -- [--json] [--watch] [--every SECONDS]
Shows on one screen how the hub, its database and its Redis are, and what to do. It changes nothing.
Run it with the hub's own environment. Exits with 0 when all is well, 1 degraded, 2 down, 3 for a wrong use.

  --json            prints one JSON object, with --watch one per line
  --watch           repeats until Ctrl-C
  --every SECONDS   the pause between two reports, 1 to 3600 (2)`;

const exitCodes: Readonly<Record<HealthReport['status'], number>> = { ok: 0, degraded: 1, down: 2 };
const misuse = 3;
const environment = readEnvironment();

function fail(sentence: string): never {
  process.stderr.write(`health: ${sentence}\n`);
  process.exit(misuse);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        watch: { type: 'boolean', default: false },
        every: { type: 'string', default: '2' },
        help: { type: 'boolean', default: false },
      },
    });
    const everySeconds = Number(values.every);
    if (!(everySeconds >= 1 && everySeconds <= 3_600))
      fail(`--every must be a number from 1 to 3600\n\n${help}`);
    return { ...values, everyMs: everySeconds * 1_000 };
  } catch (error) {
    fail(`${(error as Error).message}\n\n${help}`);
  }
}

function configured(): Config {
  try {
    return parseConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError)
      fail(`the hub's configuration is not valid:\n  ${error.message.replaceAll('\n', '\n  ')}`);
    throw error;
  }
}

async function main(): Promise<void> {
  const { json, watch, everyMs, help: isHelp } = readOptions();
  if (isHelp) {
    process.stdout.write(`${help}\n`);
    return;
  }
  const config = configured();
  const { stdout } = process;
  const isColored = usesColours(process.stdout, environment);
  const show = (report: HealthReport) => {
    if (json) return stdout.write(`${JSON.stringify(report, null, watch ? 0 : 2)}\n`);
    // Clears the screen and its scrollback.
    const clear = watch && stdout.isTTY ? '\x1b[H\x1b[2J\x1b[3J' : '';
    return stdout.write(clear + screen(report, stdout.columns ?? 80, isColored));
  };

  if (watch) process.on('SIGINT', () => process.exit());
  do {
    const report = await readReport(config, environment.NODE_ENV === 'production');
    show(report);
    process.exitCode = exitCodes[report.status];
    if (watch) await delay(everyMs);
  } while (watch);
  // A connection whose check timed out may still keep the process alive.
  setTimeout(() => process.exit(), 200).unref();
}

await main();
