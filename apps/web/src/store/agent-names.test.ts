import { describe, expect, it } from '@jest/globals';
import { memberOf } from '../testing/events.ts';
import { shownName } from './agent-names.ts';

const membersOf = (names: Record<string, string | null>) =>
  new Map(
    Object.entries(names).map(([agentId, displayName]) => [
      agentId,
      { ...memberOf(agentId), displayName },
    ]),
  );

describe('the name of a member', () => {
  it('is its display name alone, or its id when it has none', () => {
    const members = membersOf({ 'agent-7': 'Planner', bob: null });
    expect(shownName(members, 'agent-7')).toEqual({ name: 'Planner', isInDoubt: false });
    expect(shownName(members, 'bob')).toEqual({ name: 'bob', isInDoubt: false });
    expect(shownName(members, 'gone')).toEqual({ name: 'gone', isInDoubt: false });
  });

  it.each(['bob', 'B0B', 'b.o b', 'Planner', 'bоb'])(
    'is in doubt when it could be taken for another one: %s',
    (displayName) => {
      const members = membersOf({ eve: displayName, bob: null, 'agent-7': 'Planner' });
      expect(shownName(members, 'eve')).toEqual({ name: displayName, isInDoubt: true });
    },
  );
});
