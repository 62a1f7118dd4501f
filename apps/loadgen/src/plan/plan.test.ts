import { describe, expect, it } from '@jest/globals';
import { createPlan, limitWarning } from './create-plan.ts';
import {
  agentIdOf,
  agentIndexOf,
  averageCallRate,
  averageDeliveryRate,
  averageMessageRate,
  channelsOf,
  partnerOf,
  urlOf,
} from './plan.ts';
import { scenarioNames, scenarios } from './scenarios.ts';

const plan = { runId: 'r1', channels: ['a', 'b', 'c'] };
const noTls = { ca: null, isInsecure: false };
const make = (name: keyof typeof scenarios, overrides = {}) =>
  createPlan(scenarios[name], ['ws://hub'], noTls, overrides);

describe('a plan', () => {
  it('maps its agents to numbers and back, and no other id', () => {
    expect(agentIndexOf(plan, agentIdOf(plan, 42))).toBe(42);
    expect(agentIndexOf(plan, 'load-other-42')).toBeNaN();
  });

  it('puts each agent into all channels, or into so many of them', () => {
    expect(channelsOf({ ...plan, channelsPerAgent: null }, 4)).toEqual(['a', 'b', 'c']);
    expect(channelsOf({ ...plan, channelsPerAgent: 1 }, 4)).toEqual(['b']);
    expect(channelsOf({ ...plan, channelsPerAgent: 2 }, 5)).toEqual(['c', 'a']);
    expect(channelsOf({ ...plan, channelsPerAgent: 9 }, 5)).toEqual(['a', 'b', 'c']);
  });

  it('pairs the agents, so that a run creates few direct channels', () => {
    const partners = (agents: number) =>
      Array.from({ length: agents }, (_, index) => partnerOf({ agents }, index));
    expect(partners(4)).toEqual([1, 0, 3, 2]);
    expect(partners(3)).toEqual([1, 0, 1]);
    expect(partners(1)).toEqual([-1]);
  });

  it('divides the agents among several hubs', () => {
    const urls = ['ws://one', 'ws://two'];
    expect([0, 1, 2].map((index) => urlOf({ urls }, index))).toEqual([
      'ws://one',
      'ws://two',
      'ws://one',
    ]);
  });

  it('knows its average rates, with the bursts and the calls of typing', () => {
    const day = make('day');
    expect(averageMessageRate(day)).toBe(72);
    expect(averageCallRate(day)).toBe(72 * 3 + 2 * 2 + 10 + 15 + 4 + 10 + 8 + 1);
    const hall = make('hall');
    expect(averageCallRate(hall)).toBe(1_025);
    expect(averageDeliveryRate(hall)).toBe(1_025 * 111);
  });
});

describe('a plan of fewer agents than the scenario', () => {
  it('lowers the rates, so that no agent does more', () => {
    const small = make('hall', { agents: 10 });
    expect(small.rates.message).toBeCloseTo(90.09, 2);
    expect(limitWarning(small)).toBeNull();
    expect(make('teams', { agents: 22 }).channels).toHaveLength(4);
    expect(make('day', { agents: 2 }).channels).toHaveLength(3);
  });

  it('keeps a rate that was given, and warns if the default limits refuse it', () => {
    expect(make('hall', { agents: 10, rate: 50 }).rates.message).toBe(50);
    expect(limitWarning(make('hall', { agents: 10, rate: 500 }))).toMatch(
      /50\.0 messages a second.*HUB_LIMIT_MESSAGE.*--agents 50\./,
    );
  });
});

describe('the scenarios', () => {
  it.each(scenarioNames)('%s stays within the hub’s default limits', (name) => {
    expect(limitWarning(make(name))).toBeNull();
  });
});

describe('the stages of a plan', () => {
  it('have the duration of the command line', () => {
    expect(make('hall', { duration: 3 }).stages).toEqual([{ factor: 1, durationMs: 3_000 }]);
  });

  it('grow in a ramp', () => {
    const { stages, isRamp } = make('hall', { ramp: 2, duration: 5 });
    expect(isRamp).toBe(true);
    expect(stages.slice(0, 4).map(({ factor }) => factor)).toEqual([1, 2, 4, 8]);
    expect(stages.every(({ durationMs }) => durationMs === 5_000)).toBe(true);
  });
});

describe('the threads of a plan', () => {
  it('must not exceed the agents', () => {
    expect(() => make('hall', { agents: 2, workers: 3 })).toThrow('--workers');
    expect(make('hall', { agents: 3, workers: 3 }).workers).toBe(3);
    expect(make('hall', { agents: 1 }).workers).toBe(1);
  });
});
