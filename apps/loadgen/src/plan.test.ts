import { describe, expect, it } from '@jest/globals';
import { agentIdOf, agentIndexOf, channelsOf } from './plan.ts';

const plan = { runId: 'r1', channels: ['a', 'b', 'c'] };

describe('a plan', () => {
  it('maps its agents to numbers and back, and no other id', () => {
    expect(agentIndexOf(plan, agentIdOf(plan, 42))).toBe(42);
    expect(agentIndexOf(plan, 'load-other-42')).toBeNaN();
  });

  it('puts all agents into every channel of the hall, and each into one of the teams', () => {
    expect(channelsOf({ ...plan, scenario: 'hall' }, 4)).toEqual(['a', 'b', 'c']);
    expect(channelsOf({ ...plan, scenario: 'teams' }, 4)).toEqual(['b']);
  });
});
