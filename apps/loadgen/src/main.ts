import { writeFileSync } from 'node:fs';
import { parseCommandLine } from './command-line.ts';
import { LoadgenError } from './errors.ts';
import { createProgressView } from './progress.ts';
import { formatReport } from './report.ts';
import { runLoad } from './run.ts';
import { judge } from './targets.ts';

async function main(): Promise<number> {
  const { plan, identity, targets, hubPid, jsonFile, keepChannels } = parseCommandLine(
    process.argv.slice(2),
  );
  const interrupted = new AbortController();
  process.once('SIGINT', () => {
    interrupted.abort();
    // A second signal ends the run without the last answers.
    process.once('SIGINT', () => process.exit(130));
  });
  const view = createProgressView(process.stderr);
  const outcome = await runLoad(plan, {
    identity,
    keepChannels,
    signal: interrupted.signal,
    ...(hubPid !== undefined && { hubPid }),
    onProgress: (progress) => view.show(progress),
  }).finally(() => view.end());
  const verdicts = judge(outcome, targets);
  console.log(formatReport(outcome, verdicts));
  if (jsonFile !== undefined) {
    writeFileSync(jsonFile, `${JSON.stringify({ ...outcome, targets: verdicts }, null, 2)}\n`);
  }
  if (outcome.isInterrupted) return 130;
  return verdicts.every(({ holds }) => holds !== false) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof LoadgenError)) throw error;
  console.error(`loadgen: ${error.message}`);
  process.exitCode = 2;
}
