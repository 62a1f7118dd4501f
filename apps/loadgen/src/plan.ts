/** How the agents authenticate. */
export type Identity =
  | { readonly kind: 'dev' }
  /** HS256: each agent's token is signed here. */
  | { readonly kind: 'secret'; readonly secret: string }
  /** An admin's token, with which the hub issues each agent's token. */
  | { readonly kind: 'admin'; readonly token: string };

/** `hall`: every agent is in every channel; `teams`: each is in one. */
export type Scenario = 'hall' | 'teams';

/** The plan of a run: plain data, so that it can go to a worker thread. */
export interface Plan {
  /** `ws://…` */
  readonly url: string;
  /** Part of every id of the run, so that runs do not share channels. */
  readonly runId: string;
  readonly scenario: Scenario;
  readonly agents: number;
  readonly channels: readonly string[];
  /** Messages a second, over all agents. */
  readonly rate: number;
  /** `typing.start`s a second; each is stopped a second later. */
  readonly typingRate: number;
  /** `presence.set`s a second. */
  readonly presenceRate: number;
  /** `reaction.add`s a second. */
  readonly reactionRate: number;
  readonly durationMs: number;
  /** How long the same load runs before the measurement. */
  readonly warmupMs: number;
  /** The length of a message's content. */
  readonly contentChars: number;
  /** Threads that run the agents. */
  readonly workers: number;
}

/** The id of the agent with this number, from 0. */
export function agentIdOf(plan: Pick<Plan, 'runId'>, index: number): string {
  return `load-${plan.runId}-${index}`;
}

/** The reverse of {@link agentIdOf}; NaN for other agents. */
export function agentIndexOf(plan: Pick<Plan, 'runId'>, agentId: string): number {
  const prefix = `load-${plan.runId}-`;
  return agentId.startsWith(prefix) ? Number(agentId.slice(prefix.length)) : Number.NaN;
}

/** The watcher, which only reads, as the web UI does. */
export function watcherIdOf(plan: Pick<Plan, 'runId'>): string {
  return `load-${plan.runId}-watcher`;
}

/** The channels of the agent with this number. */
export function channelsOf(
  plan: Pick<Plan, 'scenario' | 'channels'>,
  index: number,
): readonly string[] {
  if (plan.scenario === 'hall') return plan.channels;
  return [plan.channels[index % plan.channels.length] as string];
}
