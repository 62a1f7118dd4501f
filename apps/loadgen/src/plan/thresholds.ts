import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { latencyNames, type LatencyName } from '../measure/latencies.ts';
import { averageCallRate, averageMessageRate, type Plan, type Stage } from './plan.ts';
import { parseSettings } from './settings-file.ts';

const ms = z.number().positive().optional();
const limits = z.strictObject({ p50Ms: ms, p90Ms: ms, p99Ms: ms, maxMs: ms });
const settings = {
  calls: z.partialRecord(z.enum(latencyNames), limits).default({}),
  /** Calls per second. @default what the plan requires */
  minThroughput: z.number().min(0).optional(),
  /** @default 500 MB, and 1 MB more for each agent above 111 */
  maxMemoryMb: z.number().positive().optional(),
  /** The least number of agents at the end. @default all agents of the plan */
  minAgents: z.int().min(0).optional(),
  maxErrors: z.int().min(0).optional(),
};

export const thresholdsFileSchema = z.strictObject({
  ...settings,
  scenarios: z.record(z.string(), z.strictObject(settings)).default({}),
});
export type ThresholdsFile = z.output<typeof thresholdsFileSchema>;

export type LatencyLimits = z.output<typeof limits>;

export interface Thresholds {
  readonly calls: Readonly<Partial<Record<LatencyName, LatencyLimits>>>;
  /** Null stands for what the plan requires, see {@link plannedThroughput}. */
  readonly minThroughput: number | null;
  readonly maxMemoryMb: number;
  readonly minAgents: number;
  readonly maxErrors: number;
}

export interface ThresholdOverrides {
  readonly maxDeliveryMs?: number;
  readonly maxPresenceMs?: number;
  readonly maxTypingMs?: number;
  readonly minThroughput?: number;
  readonly maxMemoryMb?: number;
  readonly minAgents?: number;
  readonly maxErrors?: number;
}

/** The k6 scripts read this file too. */
export const defaultThresholdsPath = fileURLToPath(
  new URL('../../thresholds.json', import.meta.url),
);

/** @throws {LoadgenError} with every wrong setting */
export function readThresholdsFile(path: string): ThresholdsFile {
  return parseSettings(path, thresholdsFileSchema);
}

const memoryMb = 500;
const agentsInMemory = 111;
// A stage lasts until its last answer, so about this much longer than planned. In a short stage, this lowers the
// throughput.
const answerMs = 200;
const tolerance = 0.95;

/** Returns the calls per second that a hub acknowledges when it keeps up with one stage. */
export function plannedThroughput(plan: Plan, { factor, durationMs }: Stage): number {
  const answered = (averageCallRate(plan) * durationMs) / (durationMs + answerMs);
  const messages = Math.min(averageMessageRate(plan), answered);
  return factor * Math.max(messages, answered * tolerance);
}

/** `overrides` are from the command line, and have precedence over the file. */
export function thresholdsFor(
  plan: Plan,
  file: ThresholdsFile,
  overrides: ThresholdOverrides = {},
): Thresholds {
  const own = file.scenarios[plan.scenario] ?? { calls: {} };
  const given = { ...file, ...definedOf(own), ...definedOf(overrides) };
  const p99 = (p99Ms: number | undefined) => p99Ms !== undefined && { p99Ms };
  const calls: Partial<Record<LatencyName, LatencyLimits>> = { ...file.calls, ...own.calls };
  const fromCommandLine = {
    delivery: p99(overrides.maxDeliveryMs),
    presence: p99(overrides.maxPresenceMs),
    typing: p99(overrides.maxTypingMs),
  };
  for (const [name, limit] of Object.entries(fromCommandLine)) {
    if (limit !== false) calls[name as LatencyName] = limit;
  }
  return {
    calls,
    minThroughput: given.minThroughput ?? null,
    maxMemoryMb: given.maxMemoryMb ?? memoryMb + Math.max(0, plan.agents - agentsInMemory),
    minAgents: given.minAgents ?? plan.agents,
    maxErrors: given.maxErrors ?? 0,
  };
}

function definedOf<T extends object>(record: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(record).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}
