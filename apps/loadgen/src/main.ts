import { writeFileSync } from 'node:fs';
import { parseCommandLine, type CommandLine } from './command-line.ts';
import { compareRuns, readFormerRun, type Comparison } from './verdict/comparison.ts';
import { limitWarning } from './plan/create-plan.ts';
import { LoadgenError } from './errors.ts';
import { isRampHolding, judge, type Judgement } from './verdict/judge.ts';
import type { Outcome } from './measure/outcome.ts';
import { createProgressView } from './progress.ts';
import { htmlReport } from './reports/html.ts';
import { jsonReport } from './reports/json.ts';
import { junitReport } from './reports/junit.ts';
import { prometheusReport } from './reports/prometheus.ts';
import { formatReport } from './reports/text.ts';
import { runLoad } from './run.ts';
import {
  defaultThresholdsPath,
  readThresholdsFile,
  thresholdsFor,
  type Thresholds,
} from './plan/thresholds.ts';

const exitCodes = { pass: 0, fail: 1, inconclusive: 3 } as const;
const interruptedCode = 130;

async function main(): Promise<number> {
  const commandLine = parseCommandLine(process.argv.slice(2));
  const { plan, identity, hubPid, keepChannels, compareFile } = commandLine;
  // Both files are read before the run, so that a mistake in them is reported at once.
  const file = readThresholdsFile(commandLine.thresholdsFile ?? defaultThresholdsPath);
  const former = compareFile === undefined ? null : readFormerRun(compareFile);
  const thresholds = thresholdsFor(plan, file, commandLine.thresholds);
  const warning = limitWarning(plan);
  if (warning !== null) console.error(`Warning: ${warning}`);

  const interrupted = new AbortController();
  process.once('SIGINT', () => {
    interrupted.abort();
    // A second signal ends the run without waiting for the last answers.
    process.once('SIGINT', () => process.exit(interruptedCode));
  });
  const view = createProgressView(process.stderr);
  const outcome = await runLoad(plan, {
    identity,
    keepChannels,
    signal: interrupted.signal,
    ...(hubPid !== undefined && { hubPid }),
    onProgress: (progress) => view.show(progress),
    mayContinue: (soFar) => !plan.isRamp || isRampHolding(soFar, thresholds),
  }).finally(() => view.end());
  const judgement = judge(outcome, thresholds);
  const comparison = former === null ? null : compareRuns(outcome, former);
  console.log(formatReport(outcome, judgement, comparison));
  writeReports(commandLine, { outcome, judgement, comparison, thresholds });
  return outcome.isInterrupted ? interruptedCode : exitCodes[judgement.verdict];
}

function writeReports(
  { reportFiles }: CommandLine,
  of: {
    readonly outcome: Outcome;
    readonly judgement: Judgement;
    readonly comparison: Comparison | null;
    readonly thresholds: Thresholds;
  },
): void {
  const { outcome, judgement, comparison } = of;
  const { html, json, junit, prometheus } = reportFiles;
  const written: string[] = [];
  const write = (path: string | undefined, text: () => string) => {
    if (path === undefined) return;
    writeFileSync(path, text());
    written.push(path);
  };
  write(html, () => htmlReport(outcome, judgement, of.thresholds, comparison));
  write(json, () => jsonReport(outcome, judgement, comparison));
  write(junit, () => junitReport(outcome, judgement));
  write(prometheus, () => prometheusReport(outcome, judgement));
  if (written.length > 0) console.error(`Wrote ${written.join(', ')}.`);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof LoadgenError)) throw error;
  console.error(`loadgen: ${error.message}`);
  process.exitCode = 2;
}
