export { LoadgenError } from './errors.ts';
export type { LatencyName, LatencySummary } from './latencies.ts';
export type { Identity, Plan, Scenario } from './plan.ts';
export { formatReport } from './report.ts';
export { runLoad } from './run.ts';
export type { Outcome, Progress, RunOptions } from './run.ts';
export { judge, targetDefaults } from './targets.ts';
export type { Targets, Verdict } from './targets.ts';
