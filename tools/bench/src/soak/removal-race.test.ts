import { describe, expect, it } from '@jest/globals';
import type { Envelope } from '@openclaw/protocol';
import { seqsOutside } from './removal-race.ts';

function log(...events: readonly (readonly [type: string, agentId?: string])[]): Envelope[] {
  return events.map(
    ([type, agentId], index) =>
      ({ seq: index + 1, event: { type, member: { agentId } } }) as unknown as Envelope,
  );
}

const history = log(
  ['channel.member.join', 'warden'],
  ['channel.member.join', 'suspect'],
  ['channel.message'],
  ['channel.member.leave', 'suspect'],
  ['channel.message'],
  ['channel.member.leave', 'other'],
  ['channel.member.join', 'suspect'],
  ['channel.message'],
);

describe('what a member may read of a channel that it is removed from and added to', () => {
  it('ends with its leave event and continues with its join event', () => {
    expect(seqsOutside(history, [2, 3, 4, 7, 8])).toEqual([]);
  });

  it('excludes the time between, the time before its first join, and seqs that the log lacks', () => {
    expect(seqsOutside(history, [9, 6, 5, 1])).toEqual([1, 5, 6, 9]);
  });
});
