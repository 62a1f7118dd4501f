import { describe, expect, it } from '@jest/globals';
import { presenceDifference, type PresenceRecord } from './index.ts';

const record = (agentId: string, more: Partial<PresenceRecord> = {}): PresenceRecord => ({
  agentId,
  status: 'online',
  customStatus: null,
  avatar: null,
  lastSeen: 1,
  ...more,
});

describe('presenceDifference', () => {
  it('contains only the agents that joined, changed or left', () => {
    const told = [record('stays'), record('changes'), record('goes', { avatar: '🤖' })];
    const present = [
      record('stays', { lastSeen: 2 }),
      record('changes', { customStatus: 'busy' }),
      record('comes'),
    ];
    expect(presenceDifference(told, present)).toEqual([
      record('changes', { customStatus: 'busy' }),
      record('comes'),
      record('goes', { avatar: '🤖', status: 'offline' }),
    ]);
    expect(presenceDifference(present, present)).toEqual([]);
  });

  it('does not repeat that an agent is offline, and has it when it is back', () => {
    const gone = record('a', { status: 'offline' });
    expect(presenceDifference([gone], [])).toEqual([]);
    expect(presenceDifference([gone], [record('a')])).toEqual([record('a')]);
  });
});
