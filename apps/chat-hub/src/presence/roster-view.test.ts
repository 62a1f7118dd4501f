import { beforeEach, describe, expect, it } from '@jest/globals';
import type { PresenceRecord } from '@openclaw/presence';
import { limits } from '@openclaw/protocol';
import { RosterView } from './roster-view.ts';

const record = (agentId: string, status: PresenceRecord['status'] = 'online') => ({
  ...{ agentId, status, customStatus: null, avatar: null, lastSeen: 1 },
});
const crowd = (count: number) => Array.from({ length: count }, (_, n) => record(`a${n}`));
const confirmMs = 12_000;

let view: RosterView;
let nowMs: number;
beforeEach(() => {
  nowMs = 0;
  view = new RosterView(() => nowMs);
  compare([]);
});

/** One reading of the roster, and what it makes the sockets be told, as `agentId status`. */
function compare(
  roster: readonly PresenceRecord[] | null,
  { meanwhile = () => {}, here = [] as readonly string[], trustFromMs = -Infinity } = {},
): string[] {
  view.begin();
  meanwhile();
  const isHere = (agentId: string) => here.includes(agentId);
  const told = view.compare(roster, { nowMs, confirmMs, trustFromMs, isHere });
  return told.map(({ agentId, status }) => `${agentId} ${status}`);
}

describe('what sockets were told of a channel’s presence, compared with its roster', () => {
  it('is amended by who came and who changed, once', () => {
    view.saw([record('a'), record('b')]);
    const roster = [record('a'), record('b', 'away'), record('c')];
    expect(compare(roster)).toEqual(['b away', 'c online']);
    expect(compare(roster)).toEqual([]);
  });

  it('says offline only when somebody is missing twice, and long enough for a heartbeat between', () => {
    view.saw([record('a')]);
    expect(compare([])).toEqual([]);
    nowMs += confirmMs - 1;
    expect(compare([])).toEqual([]);
    nowMs += 1;
    expect(compare([])).toEqual(['a offline']);
    nowMs += confirmMs;
    expect(compare([])).toEqual([]);
  });

  // The race: Redis lost the lease, and the next heartbeat wrote it again. Invariant: nobody seems to have gone.
  it('says nothing of one who was missing and is back', () => {
    view.saw([record('a')]);
    compare([]);
    nowMs += confirmMs;
    expect(compare([record('a')])).toEqual([]);
    nowMs += confirmMs;
    expect(compare([])).toEqual([]);
  });

  // The race: the roster is read, then the agent joins and its event comes, then the answer of the reading. The second
  // time as well. Invariant: what is older than an event does not amend it.
  it('says nothing of those of whom an event came while the roster was read', () => {
    view.saw([record('a'), record('b'), record('c')]);
    compare([record('b'), record('c')]);
    nowMs += confirmMs;
    const meanwhile = () => view.saw([record('a'), record('b', 'away'), record('c', 'offline')]);
    expect(compare([record('b'), record('c')], { meanwhile })).toEqual([]);
    expect(compare([record('a'), record('b', 'away')])).toEqual([]);
  });

  // The fault: what was missing before the roster could be trusted did not count, so that who left unheard was shown for a
  // lease and two readings more.
  it('says offline as soon as the roster may be trusted whoever was missing long enough by then', () => {
    view.saw([record('a')]);
    const trustFromMs = 3 * confirmMs;
    for (let round = 0; round < 3; round += 1) {
      expect(compare([], { trustFromMs })).toEqual([]);
      nowMs += confirmMs;
    }
    expect(compare([], { trustFromMs })).toEqual(['a offline']);
  });

  it('never says offline who is here', () => {
    view.saw([record('a'), record('b')]);
    for (let round = 0; round < 5; round += 1) {
      expect(compare([], { here: ['a', 'b'] })).toEqual([]);
      nowMs += confirmMs;
    }
    expect(compare([], { here: ['b'] })).toEqual([]);
    nowMs += confirmMs;
    expect(compare([], { here: ['b'] })).toEqual(['a offline']);
  });

  it('begins anew to count who is missing when the roster could not be read', () => {
    view.saw([record('a')]);
    compare([]);
    view.begin();
    view.fail();
    nowMs += confirmMs;
    expect(compare([])).toEqual([]);
  });

  // The race: an agent was there before this hub followed the channel; one socket read so from a list; the offline event
  // is lost. Invariant: the ghost ends.
  it('ends those too whom only a list has named', () => {
    view.listed([record('a')]);
    expect(compare([])).toEqual([]);
    nowMs += confirmMs;
    expect(compare([])).toEqual(['a offline']);
  });

  it('tells all sockets of one whom only a list has named', () => {
    view.listed([record('a')]);
    expect(compare([record('a')])).toEqual(['a online']);
  });

  it('takes the first roster as known, unless a list was answered or a reading failed before', () => {
    const firstOf = (prepare: (fresh: RosterView) => void) => {
      view = new RosterView();
      prepare(view);
      return compare([record('a'), record('b')]);
    };
    expect(firstOf(() => undefined)).toEqual([]);
    expect(compare([record('a'), record('b'), record('c')])).toEqual(['c online']);
    expect(firstOf((fresh) => fresh.listed([record('a')]))).toEqual(['a online', 'b online']);
    expect(firstOf((fresh) => fresh.fail())).toEqual(['a online', 'b online']);
  });
});

describe('events that come in another order than they were decided in', () => {
  const at = (lastSeen: number, agentId: string, status: PresenceRecord['status'] = 'online') => ({
    ...record(agentId, status),
    lastSeen,
  });
  const saw = (...records: PresenceRecord[]) =>
    view.saw(records).map(({ agentId, status }) => `${agentId} ${status}`);

  // The race: hub A decides that an agent left, and waits to conflate; B decides that it came, and publishes first.
  // Invariant: what was decided last is what sockets know. The control: where no times are known, the last to come wins.
  it.each(['by their times', 'the control, without times'])(
    'leave an agent as it was decided last: %s',
    (how) => {
      const isTimed = how === 'by their times';
      const untime = () => void (isTimed || view.forgetTimes());
      saw(at(20, 'came'));
      saw(at(20, 'went', 'offline'));
      untime();
      expect(saw(at(10, 'came', 'offline'))).toEqual(isTimed ? [] : ['came offline']);
      expect(saw(at(10, 'went'))).toEqual(isTimed ? [] : ['went online']);
      expect(compare([at(20, 'came')])).toEqual(isTimed ? [] : ['came online']);
    },
  );

  it('are taken as they come when they were decided in the same millisecond', () => {
    expect(saw(at(10, 'a'))).toEqual(['a online']);
    expect(saw(at(10, 'a', 'offline'))).toEqual(['a offline']);
    expect(saw(at(10, 'a'))).toEqual(['a online']);
  });

  it('pass in part: what is outdated of one agent says nothing of the others', () => {
    saw(at(20, 'a'));
    expect(saw(at(10, 'a', 'offline'), at(10, 'b'))).toEqual(['b online']);
  });

  it('are older than what a roster has told', () => {
    expect(compare([at(20, 'a')])).toEqual(['a online']);
    expect(saw(at(10, 'a', 'offline'))).toEqual([]);
    expect(saw(at(20, 'a', 'offline'))).toEqual(['a offline']);
  });

  // The race: the outdated event comes while the roster is read. Invariant: it does not keep the roster from being believed.
  it('do not count as heard while a roster is read', () => {
    saw(at(20, 'a'));
    const meanwhile = () => void saw(at(10, 'a', 'offline'));
    expect(compare([{ ...at(20, 'a'), status: 'away' }], { meanwhile })).toEqual(['a away']);
  });

  it('are known as such for as long as envelopes pass, and after that an end is forgotten', () => {
    saw(at(20, 'a', 'offline'));
    nowMs += 10_000;
    expect(saw(at(10, 'a'))).toEqual([]);
    nowMs += 10_000;
    saw(at(20, 'b', 'offline'));
    expect(saw(at(10, 'a'))).toEqual(['a online']);
  });

  it('are held against a bounded number of ends, the latest', () => {
    for (let n = 0; n < 5_000; n += 1) saw(at(20, `a${n}`, 'offline'));
    expect(saw(at(10, 'a4999'))).toEqual([]);
    expect(saw(at(10, 'a0'))).toEqual(['a0 online']);
  });

  it('are not compared in a crowd, of which sockets are told nothing', () => {
    compare(null);
    saw(at(20, 'a'));
    saw(at(20, 'b', 'offline'));
    expect(saw(at(10, 'a', 'offline'), at(10, 'b'))).toEqual(['a offline', 'b online']);
  });
});

describe('a channel in which more are present than are pushed', () => {
  it('is crowded from the event on that makes it so, whatever hub they are on', () => {
    view.saw(crowd(limits.presencePush));
    expect(view.isCrowded).toBe(false);
    view.saw([record('one-more')]);
    expect(view.isCrowded).toBe(true);
  });

  it('is crowded by its roster, and when that is no longer so, its sockets are told what they missed', () => {
    view.saw(crowd(3));
    expect(compare(null)).toEqual([]);
    expect(view.isCrowded).toBe(true);
    const left = [record('a1'), record('a2', 'away'), record('new')];
    expect(compare(left)).toEqual(['a2 away', 'new online']);
    expect(view.isCrowded).toBe(false);
    nowMs += confirmMs;
    expect(compare(left)).toEqual(['a0 offline']);
  });

  // The race: most have gone, which is not told before it is confirmed. Invariant: who is missing does not crowd.
  it('is crowded no more when its roster is short, though not all who left have been told yet', () => {
    view.saw(crowd(limits.presencePush + 1));
    expect(compare([record('a1'), record('new')])).toEqual(['new online']);
    expect(view.isCrowded).toBe(false);
    view.saw([record('another')]);
    expect(view.isCrowded).toBe(false);
  });

  it('costs no more memory the more there are', () => {
    for (const { agentId } of crowd(5_000)) view.saw([record(agentId)]);
    view.listed(crowd(5_000));
    nowMs += confirmMs;
    compare([]);
    nowMs += confirmMs;
    expect(compare([]).length).toBeLessThanOrEqual(2 * limits.presencePush + 1);
  });
});
