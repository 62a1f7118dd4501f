import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { LoadgenError } from '../errors.ts';
import { averageDeliveryRate, averageMessageRate, type Plan, type Rates } from './plan.ts';
import type { Stage, TlsSettings } from './plan.ts';
import type { Scenario } from './scenarios.ts';

export interface PlanOverrides {
  readonly agents?: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly replyRate?: number;
  readonly reactionRate?: number;
  readonly typingRate?: number;
  readonly presenceRate?: number;
  readonly directRate?: number;
  readonly historyRate?: number;
  readonly rejoinRate?: number;
  readonly contentChars?: number;
  /** Each stage lasts this many seconds. */
  readonly duration?: number;
  readonly warmup?: number;
  readonly ramp?: number;
  readonly workers?: number;
}

const rampStages = 20;
// In the scenario `hall`, one thread handles about 120,000 equal frames a second.
const deliveriesPerWorker = 100_000;

/**
 * With fewer agents than in the scenario, rates and channels are lowered too, so that the load per agent stays equal.
 * @throws {LoadgenError}
 */
export function createPlan(
  scenario: Scenario,
  urls: readonly string[],
  tls: TlsSettings,
  overrides: PlanOverrides = {},
): Plan {
  const agents = overrides.agents ?? scenario.agents;
  const share = Math.min(1, agents / scenario.agents);
  const { rates } = scenario;
  const scaled: Rates = {
    message: overrides.rate ?? rates.message * share,
    reply: overrides.replyRate ?? rates.reply * share,
    reaction: overrides.reactionRate ?? rates.reaction * share,
    typing: overrides.typingRate ?? rates.typing * share,
    presence: overrides.presenceRate ?? rates.presence * share,
    direct: overrides.directRate ?? rates.direct * share,
    history: overrides.historyRate ?? rates.history * share,
    rejoin: overrides.rejoinRate ?? rates.rejoin * share,
  };
  const channelShare = scenario.channelsPerAgent === null ? 1 : share;
  const channelCount =
    overrides.channels ??
    Math.max(scenario.channelsPerAgent ?? 1, Math.round(scenario.channels * channelShare));
  const runId = randomBytes(4).toString('hex');
  const { burst, cutEverySeconds } = scenario;
  const plan: Omit<Plan, 'workers'> = {
    urls,
    tls,
    runId,
    agents,
    scenario: scenario.name,
    channels: Array.from({ length: channelCount }, (_, index) => `load-${runId}-${index}`),
    channelsPerAgent: scenario.channelsPerAgent,
    rates: scaled,
    burst: burst && {
      everyMs: burst.everySeconds * 1000,
      lengthMs: burst.seconds * 1000,
      factor: burst.factor,
    },
    typingLeadMs: scenario.typingLeadSeconds * 1000,
    cutEveryMs: cutEverySeconds === null ? null : cutEverySeconds * 1000,
    stages: stagesOf(scenario, overrides),
    isRamp: overrides.ramp !== undefined,
    warmupMs: (overrides.warmup ?? scenario.warmupSeconds) * 1000,
    contentChars: overrides.contentChars ?? scenario.contentChars,
  };
  if (overrides.workers !== undefined && overrides.workers > agents)
    throw new LoadgenError('invalid_options', '--workers must not exceed --agents.');
  return { ...plan, workers: overrides.workers ?? workersFor(plan) };
}

function stagesOf({ stages }: Scenario, { duration, ramp }: PlanOverrides): Stage[] {
  const given = stages.map(({ factor, seconds }) => ({
    factor,
    durationMs: (duration ?? seconds) * 1000,
  }));
  const [first] = given;
  if (ramp === undefined || first === undefined) return given;
  return Array.from({ length: rampStages }, (_, index) => ({
    ...first,
    factor: first.factor * ramp ** index,
  }));
}

function workersFor(plan: Omit<Plan, 'workers'>): number {
  const highest = plan.isRamp ? 1 : Math.max(...plan.stages.map(({ factor }) => factor));
  const wanted = Math.ceil((averageDeliveryRate(plan) * highest) / deliveriesPerWorker);
  // One core is for the main thread, and for a hub on this machine.
  return Math.max(1, Math.min(wanted, availableParallelism() - 1, plan.agents));
}

// HUB_LIMIT_MESSAGE is 600/60 by default.
const defaultMessageLimit = 10;

export function limitWarning(plan: Plan): string | null {
  const { rates, agents } = plan;
  const perAgent = (averageMessageRate(plan) + rates.reply + rates.direct) / agents;
  if (perAgent <= defaultMessageLimit) return null;
  const rate = perAgent.toFixed(1);
  const enough = Math.ceil((perAgent * agents) / defaultMessageLimit);
  return `Each agent sends ${rate} messages a second, and a hub allows ${defaultMessageLimit} by default: raise its HUB_LIMIT_MESSAGE, or give --agents ${enough}.`;
}
