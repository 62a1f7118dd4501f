import { describe, expect, it } from '@jest/globals';
import { Departures } from './departures.ts';

describe('the departures of a channel', () => {
  it('say whether an agent left after a seq, and whether it is back', () => {
    const departures = new Departures();
    departures.left('ben', 5);
    expect(departures.hasLeftSince(4, 'ben')).toBe(true);
    expect(departures.hasLeftSince(5, 'ben')).toBe(false);
    expect(departures.hasLeftSince(4, 'ana')).toBe(false);
    departures.rejoined('ben');
    expect(departures.hasLeftSince(4, 'ben')).toBe(false);
    expect(departures.wasAwaySince(4, 'ben')).toBe(true);
  });

  it('assume the worst of an agent that is not remembered', () => {
    const departures = new Departures();
    for (let seq = 1; seq <= 1_001; seq += 1) departures.left(`agent-${seq}`, seq);
    expect(departures.hasLeftSince(0, 'agent-1')).toBe(true);
    expect(departures.hasLeftSince(0, 'never seen')).toBe(true);
    expect(departures.hasLeftSince(1, 'agent-1')).toBe(false);
  });

  // The race: an agent leaves and rejoins. Its rights are read. The room then skips trimmed events, one of which may
  // have removed the agent. Invariant: the rights are read again.
  it('are all in doubt after skipped events, also of an agent that left and joined again before', () => {
    const departures = new Departures();
    departures.left('ben', 5);
    departures.rejoined('ben');
    departures.skipped(100);
    expect(departures.hasLeftSince(50, 'ben')).toBe(true);
    expect(departures.wasAwaySince(50, 'ben')).toBe(true);
    expect(departures.hasLeftSince(100, 'ben')).toBe(false);
  });
});
