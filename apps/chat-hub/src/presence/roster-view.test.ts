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

function compare(
  roster: readonly PresenceRecord[] | null,
  { meanwhile = () => {}, here = [] as readonly string[], trustFromMs = -Infinity } = {},
): string[] {
  view.beginRead();
  meanwhile();
  const isHere = (agentId: string) => here.includes(agentId);
  const reported = view.compare(roster, {
    nowMs,
    confirmMs,
    offlineFromMs: trustFromMs,
    isConnectedHere: isHere,
  });
  return reported.map(({ agentId, status }) => `${agentId} ${status}`);
}

describe('a roster view, compared with the roster', () => {
  it('reports agents that joined or changed, once', () => {
    view.applyEvent([record('a'), record('b')]);
    const roster = [record('a'), record('b', 'away'), record('c')];
    expect(compare(roster)).toEqual(['b away', 'c online']);
    expect(compare(roster)).toEqual([]);
  });

  it('reports an agent offline only when it is missing twice, with time for a heartbeat in between', () => {
    view.applyEvent([record('a')]);
    expect(compare([])).toEqual([]);
    nowMs += confirmMs - 1;
    expect(compare([])).toEqual([]);
    nowMs += 1;
    expect(compare([])).toEqual(['a offline']);
    nowMs += confirmMs;
    expect(compare([])).toEqual([]);
  });

  // The race: Redis lost the lease, and the next heartbeat wrote it again.
  it('reports nothing about an agent that was missing and is back', () => {
    view.applyEvent([record('a')]);
    compare([]);
    nowMs += confirmMs;
    expect(compare([record('a')])).toEqual([]);
    nowMs += confirmMs;
    expect(compare([])).toEqual([]);
  });

  // The race: Redis reads the roster, an agent changes, and its event arrives before the answer of Redis. For agent
  // `a`, this answer is the second one without it.
  it('reports nothing about agents whose event arrived during the read', () => {
    view.applyEvent([record('a'), record('b'), record('c')]);
    compare([record('b'), record('c')]);
    nowMs += confirmMs;
    const meanwhile = () =>
      view.applyEvent([record('a'), record('b', 'away'), record('c', 'offline')]);
    expect(compare([record('b'), record('c')], { meanwhile })).toEqual([]);
    expect(compare([record('a'), record('b', 'away')])).toEqual([]);
  });

  // The fault: the time before `offlineFromMs` did not count as absence. An agent whose offline event was lost
  // therefore stayed online for a lease and two more reads.
  it('reports an agent that has been missing long enough as soon as offline reports are allowed', () => {
    view.applyEvent([record('a')]);
    const trustFromMs = 3 * confirmMs;
    for (let round = 0; round < 3; round += 1) {
      expect(compare([], { trustFromMs })).toEqual([]);
      nowMs += confirmMs;
    }
    expect(compare([], { trustFromMs })).toEqual(['a offline']);
  });

  it('never reports an agent offline that is connected here', () => {
    view.applyEvent([record('a'), record('b')]);
    for (let round = 0; round < 5; round += 1) {
      expect(compare([], { here: ['a', 'b'] })).toEqual([]);
      nowMs += confirmMs;
    }
    expect(compare([], { here: ['b'] })).toEqual([]);
    nowMs += confirmMs;
    expect(compare([], { here: ['b'] })).toEqual(['a offline']);
  });

  it('starts counting the missing time again when the roster could not be read', () => {
    view.applyEvent([record('a')]);
    compare([]);
    view.beginRead();
    view.failRead();
    nowMs += confirmMs;
    expect(compare([])).toEqual([]);
  });

  // The race: an agent's offline event is lost. Redis then fails again and again, each time before the agent's absence
  // is confirmed.
  it('reports an agent offline after two leases without it, however often Redis fails', () => {
    view = new RosterView(() => nowMs, 30_000);
    compare([]);
    view.applyEvent([record('gone'), record('back')]);
    const reported: string[] = [];
    for (nowMs = 0; nowMs < 60_000; nowMs += 10_000) {
      reported.push(...compare([], { trustFromMs: nowMs + 30_000 }));
      view.beginRead();
      view.failRead();
    }
    reported.push(...compare([record('back')], { trustFromMs: nowMs + 30_000 }));
    expect(reported).toEqual(['gone offline']);
  });

  // The race: a socket knows an agent only from a list, and the agent's offline event is lost.
  it('also reports agents offline that only a list named', () => {
    view.addListed([record('a')]);
    expect(compare([])).toEqual([]);
    nowMs += confirmMs;
    expect(compare([])).toEqual(['a offline']);
  });

  it('reports an agent to all sockets that only a list named', () => {
    view.addListed([record('a')]);
    expect(compare([record('a')])).toEqual(['a online']);
  });

  it('takes the first roster as known, unless a list was answered or a read failed before', () => {
    const firstOf = (prepare: (fresh: RosterView) => void) => {
      view = new RosterView();
      prepare(view);
      return compare([record('a'), record('b')]);
    };
    expect(firstOf(() => undefined)).toEqual([]);
    expect(compare([record('a'), record('b'), record('c')])).toEqual(['c online']);
    expect(firstOf((fresh) => fresh.addListed([record('a')]))).toEqual(['a online', 'b online']);
    expect(firstOf((fresh) => fresh.failRead())).toEqual(['a online', 'b online']);
  });
});

describe('events that arrive in another order than they were decided', () => {
  const at = (lastSeen: number, agentId: string, status: PresenceRecord['status'] = 'online') => ({
    ...record(agentId, status),
    lastSeen,
  });
  const saw = (...records: PresenceRecord[]) =>
    view.applyEvent(records).map(({ agentId, status }) => `${agentId} ${status}`);

  // The race: hub A decides that an agent left, but publishes this late. Hub B decides later that the agent came, and
  // publishes first. Negative control: without known times, the event that arrives last decides.
  it.each(['by their times', 'the control, without times'])(
    'end with the last decision about an agent: %s',
    (how) => {
      const isTimed = how === 'by their times';
      const untime = () => void (isTimed || view.forgetLastSeen());
      saw(at(20, 'came'));
      saw(at(20, 'went', 'offline'));
      untime();
      expect(saw(at(10, 'came', 'offline'))).toEqual(isTimed ? [] : ['came offline']);
      expect(saw(at(10, 'went'))).toEqual(isTimed ? [] : ['went online']);
      expect(compare([at(20, 'came')])).toEqual(isTimed ? [] : ['came online']);
    },
  );

  it('count in the order of arrival when they were decided in the same millisecond', () => {
    expect(saw(at(10, 'a'))).toEqual(['a online']);
    expect(saw(at(10, 'a', 'offline'))).toEqual(['a offline']);
    expect(saw(at(10, 'a'))).toEqual(['a online']);
  });

  it('pass in part: an outdated record of one agent does not hold back the others', () => {
    saw(at(20, 'a'));
    expect(saw(at(10, 'a', 'offline'), at(10, 'b'))).toEqual(['b online']);
  });

  it('are dropped when they are older than the roster', () => {
    expect(compare([at(20, 'a')])).toEqual(['a online']);
    expect(saw(at(10, 'a', 'offline'))).toEqual([]);
    expect(saw(at(20, 'a', 'offline'))).toEqual(['a offline']);
  });

  // The race: an outdated event arrives during a read of the roster.
  it('do not count as changes during a read when they are outdated', () => {
    saw(at(20, 'a'));
    const meanwhile = () => void saw(at(10, 'a', 'offline'));
    expect(compare([{ ...at(20, 'a'), status: 'away' }], { meanwhile })).toEqual(['a away']);
  });

  it('are recognized as outdated while envelopes of that age still pass; later the offline record is forgotten', () => {
    saw(at(20, 'a', 'offline'));
    nowMs += 10_000;
    expect(saw(at(10, 'a'))).toEqual([]);
    nowMs += 10_000;
    saw(at(20, 'b', 'offline'));
    expect(saw(at(10, 'a'))).toEqual(['a online']);
  });

  it('are compared with a bounded number of offline records, the latest', () => {
    for (let n = 0; n < 5_000; n += 1) saw(at(20, `a${n}`, 'offline'));
    expect(saw(at(10, 'a4999'))).toEqual([]);
    expect(saw(at(10, 'a0'))).toEqual(['a0 online']);
  });

  it('are not compared past the push limit', () => {
    compare(null);
    saw(at(20, 'a'));
    saw(at(20, 'b', 'offline'));
    expect(saw(at(10, 'a', 'offline'), at(10, 'b'))).toEqual(['a offline', 'b online']);
  });
});

describe('a channel past the push limit', () => {
  it('is past it from the event that exceeds it, even if the agents are on several hubs', () => {
    view.applyEvent(crowd(limits.presencePush));
    expect(view.isOverPushLimit).toBe(false);
    view.applyEvent([record('one-more')]);
    expect(view.isOverPushLimit).toBe(true);
  });

  it('is past it when its roster is; back under it, the sockets get the changes that they missed', () => {
    view.applyEvent(crowd(3));
    expect(compare(null)).toEqual([]);
    expect(view.isOverPushLimit).toBe(true);
    const left = [record('a1'), record('a2', 'away'), record('new')];
    expect(compare(left)).toEqual(['a2 away', 'new online']);
    expect(view.isOverPushLimit).toBe(false);
    nowMs += confirmMs;
    expect(compare(left)).toEqual(['a0 offline']);
  });

  // The race: most agents have left, but this is reported only after a confirmation. Invariant: missing agents do not
  // count towards the push limit.
  it('is under it when the roster is short, although some agents are not reported offline yet', () => {
    view.applyEvent(crowd(limits.presencePush + 1));
    expect(compare([record('a1'), record('new')])).toEqual(['new online']);
    expect(view.isOverPushLimit).toBe(false);
    view.applyEvent([record('another')]);
    expect(view.isOverPushLimit).toBe(false);
  });

  it('uses bounded memory, however many agents are present', () => {
    for (const { agentId } of crowd(5_000)) view.applyEvent([record(agentId)]);
    view.addListed(crowd(5_000));
    nowMs += confirmMs;
    compare([]);
    nowMs += confirmMs;
    expect(compare([]).length).toBeLessThanOrEqual(2 * limits.presencePush + 1);
  });
});
