import { describe, expect, it } from '@jest/globals';
import type { SystemEventEntry } from '../../store/timeline.ts';
import { envelopeOf, memberOf, messageOf } from '../../testing/events.ts';
import { foldRows, foldText } from './folds.ts';

const joinOf = (seq: number, agentId = `a${seq}`): SystemEventEntry => ({
  kind: 'systemEvent',
  seq,
  envelope: envelopeOf(seq, {
    type: 'channel.member.join',
    channelId: 'c',
    member: memberOf(agentId),
  }),
});
const eventOf = (seq: number, name: string): SystemEventEntry => ({
  kind: 'systemEvent',
  seq,
  envelope: envelopeOf(seq, { type: 'collaboration.event', channelId: 'c', name, payload: {} }),
});
const messageEntry = (seq: number) =>
  ({ kind: 'message', seq, message: messageOf(seq), asOf: seq }) as const;
const none: ReadonlySet<number> = new Set();

describe('a fold', () => {
  it('replaces three or more events of one kind, and no messages', () => {
    const entries = [joinOf(1), joinOf(2), messageEntry(3), joinOf(4), joinOf(5), joinOf(6)];
    const rows = foldRows([...entries, eventOf(7, 'turn.start')], none);
    expect(rows.map(({ kind, seq }) => [kind, seq])).toEqual([
      ['systemEvent', 1],
      ['systemEvent', 2],
      ['message', 3],
      ['fold', 3.5],
      ['systemEvent', 7],
    ]);
    expect(rows[3]).toMatchObject({ lastSeq: 6, isOpen: false });
  });

  it('shows its events when it is open, in rows whose seqs increase', () => {
    const entries = [joinOf(4), joinOf(5), joinOf(6)];
    const rows = foldRows(entries, new Set([5]));
    expect(rows.map(({ seq }) => seq)).toEqual([3.5, 4, 5, 6]);
    expect(rows[0]).toMatchObject({ isOpen: true, lastSeq: 3 });
  });

  it('says what it contains', () => {
    const joins = ['ada', 'bob', 'cy', 'di', 'ed'].map((name, at) => joinOf(at, name));
    expect(foldText({ of: 'members', events: joins })).toBe('ada, bob, cy and 2 others joined');
    const events = ['turn', 'turn', 'task'].map((name, at) => eventOf(at, name));
    expect(foldText({ of: 'events', events })).toBe('turn ×2 and task ×1 by bob');
  });
});
