import type { Rates } from './plan.ts';

/** The units are those of the command line: seconds, and operations a second over all agents. */
export interface Scenario {
  readonly name: string;
  readonly agents: number;
  readonly channels: number;
  readonly channelsPerAgent: number | null;
  readonly rates: Rates;
  readonly burst: {
    readonly everySeconds: number;
    readonly seconds: number;
    readonly factor: number;
  } | null;
  readonly typingLeadSeconds: number;
  readonly cutEverySeconds: number | null;
  readonly contentChars: number;
  readonly warmupSeconds: number;
  readonly stages: readonly { readonly factor: number; readonly seconds: number }[];
}

const basis = {
  channelsPerAgent: null,
  burst: null,
  typingLeadSeconds: 0,
  cutEverySeconds: null,
  contentChars: 120,
  warmupSeconds: 4,
  stages: [{ factor: 1, seconds: 10 }],
} as const;
export const noRates: Rates = {
  message: 0,
  reply: 0,
  reaction: 0,
  typing: 0,
  presence: 0,
  direct: 0,
  history: 0,
  rejoin: 0,
};

/** No agent exceeds the hub's default limits. */
export const scenarios = {
  hall: {
    ...basis,
    name: 'hall',
    agents: 111,
    channels: 1,
    rates: { ...noRates, message: 1_000, typing: 5, presence: 5, reaction: 10 },
  },
  teams: {
    ...basis,
    name: 'teams',
    agents: 111,
    channels: 20,
    channelsPerAgent: 1,
    rates: { ...noRates, message: 1_000, typing: 5, presence: 5, reaction: 10 },
  },
  crowd: {
    ...basis,
    name: 'crowd',
    agents: 500,
    channels: 1,
    rates: { ...noRates, message: 10, typing: 2, presence: 10, reaction: 5, rejoin: 2 },
  },
  herd: {
    ...basis,
    name: 'herd',
    agents: 300,
    channels: 10,
    channelsPerAgent: 1,
    rates: { ...noRates, message: 100, history: 5 },
    cutEverySeconds: 10,
    stages: [{ factor: 1, seconds: 30 }],
  },
  day: {
    ...basis,
    name: 'day',
    agents: 111,
    channels: 12,
    channelsPerAgent: 3,
    rates: {
      message: 40,
      reply: 10,
      reaction: 15,
      typing: 2,
      presence: 4,
      direct: 10,
      history: 8,
      rejoin: 1,
    },
    burst: { everySeconds: 15, seconds: 3, factor: 5 },
    typingLeadSeconds: 1,
    stages: [{ factor: 1, seconds: 60 }],
  },
} as const satisfies Readonly<Record<string, Scenario>>;

export type ScenarioName = keyof typeof scenarios;
export const scenarioNames = Object.keys(scenarios) as ScenarioName[];

export function isScenarioName(name: string): name is ScenarioName {
  return Object.hasOwn(scenarios, name);
}
