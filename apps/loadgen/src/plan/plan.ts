export type Identity =
  | { readonly kind: 'dev' }
  /** The load generator signs each agent's token (HS256). */
  | { readonly kind: 'secret'; readonly secret: string }
  /** The hub mints each agent's token, at the request of this admin. */
  | { readonly kind: 'admin'; readonly token: string };

/**
 * `reply` sends into a thread, `direct` sends a direct message, `history` reads a page of messages, and `rejoin`
 * leaves a channel and joins it again.
 */
export const operationKinds = [
  'message',
  'reply',
  'reaction',
  'typing',
  'presence',
  'direct',
  'history',
  'rejoin',
] as const;
export type OperationKind = (typeof operationKinds)[number];

export type Rates = Readonly<Record<OperationKind, number>>;

/** In the first `lengthMs` of every `everyMs`, the rate of messages is `factor` times as high. */
export interface Burst {
  readonly everyMs: number;
  readonly lengthMs: number;
  readonly factor: number;
}

export interface Stage {
  readonly factor: number;
  readonly durationMs: number;
}

export interface TlsSettings {
  /** The value is PEM; null means the authorities that Node trusts. */
  readonly ca: string | null;
  readonly isInsecure: boolean;
}

/** The plan is plain data, so that it can be sent to a worker thread. */
export interface Plan {
  /** The agents are divided among these hubs (`ws://…`). */
  readonly urls: readonly string[];
  readonly tls: TlsSettings;
  /** Part of every id of the run, so that runs do not share channels. */
  readonly runId: string;
  readonly scenario: string;
  readonly agents: number;
  readonly channels: readonly string[];
  /** With null, each agent joins all channels. */
  readonly channelsPerAgent: number | null;
  readonly rates: Rates;
  readonly burst: Burst | null;
  /** An agent types for this time before it sends a message; 0 for no typing. */
  readonly typingLeadMs: number;
  /** All sockets are cut at this interval; null for never. */
  readonly cutEveryMs: number | null;
  readonly stages: readonly Stage[];
  readonly isRamp: boolean;
  /** The load runs this long before the first stage, without being measured. */
  readonly warmupMs: number;
  readonly contentChars: number;
  readonly workers: number;
}

export function agentIdOf(plan: Pick<Plan, 'runId'>, index: number): string {
  return `load-${plan.runId}-${index}`;
}

/** Returns NaN for an id that {@link agentIdOf} did not make. */
export function agentIndexOf(plan: Pick<Plan, 'runId'>, agentId: string): number {
  const prefix = `load-${plan.runId}-`;
  return agentId.startsWith(prefix) ? Number(agentId.slice(prefix.length)) : Number.NaN;
}

export function watcherIdOf(plan: Pick<Plan, 'runId'>): string {
  return `load-${plan.runId}-watcher`;
}

export function urlOf(plan: Pick<Plan, 'urls'>, index: number): string {
  return plan.urls[index % plan.urls.length] as string;
}

export function channelsOf(
  plan: Pick<Plan, 'channelsPerAgent' | 'channels'>,
  index: number,
): readonly string[] {
  const { channels, channelsPerAgent } = plan;
  if (channelsPerAgent === null || channelsPerAgent >= channels.length) return channels;
  return Array.from(
    { length: channelsPerAgent },
    (_, offset) => channels[(index + offset) % channels.length] as string,
  );
}

/** Pairs exchange direct messages. If the number of agents is odd, the last one writes to the agent before it. */
export function partnerOf(plan: Pick<Plan, 'agents'>, index: number): number {
  const partner = index % 2 === 0 ? index + 1 : index - 1;
  return partner < plan.agents ? partner : index - 1;
}

/** The rate per second includes the bursts, but not the factor of a stage. */
export function averageMessageRate({ rates, burst }: Pick<Plan, 'rates' | 'burst'>): number {
  if (burst === null) return rates.message;
  const share = burst.lengthMs / burst.everyMs;
  return rates.message * (1 + share * (burst.factor - 1));
}

/** The rate per second does not include the factor of a stage. */
export function averageCallRate(plan: Pick<Plan, 'rates' | 'burst' | 'typingLeadMs'>): number {
  const { rates } = plan;
  // A message after typing costs three calls, because the typing is started and stopped.
  const callsPerMessage = plan.typingLeadMs > 0 ? 3 : 1;
  const others =
    rates.reply + rates.reaction + rates.presence + rates.direct + rates.history + rates.rejoin;
  return averageMessageRate(plan) * callsPerMessage + 2 * rates.typing + others;
}

export function averageDeliveryRate(
  plan: Pick<Plan, 'rates' | 'burst' | 'typingLeadMs' | 'agents' | 'channels' | 'channelsPerAgent'>,
): number {
  const share = Math.min(1, (plan.channelsPerAgent ?? Infinity) / plan.channels.length);
  const membersPerChannel = plan.agents * share;
  const pairwise = plan.rates.direct * 2;
  const read = plan.rates.history;
  return (averageCallRate(plan) - plan.rates.direct - read) * membersPerChannel + pairwise;
}
