import { beforeEach, describe, expect, it } from '@jest/globals';
import { subscribeMaxMs } from './agent-connections.ts';
import { createPresenceWatch, leaseMs, type PresenceWatch } from './presence-watch.ts';
import { createViolations, type Violations } from './violations.ts';

// Negative control for presence: the watch must report false offline events and ghosts.

let nowMs: number;
let violations: Violations;
let watch: PresenceWatch;
beforeEach(() => {
  nowMs = 1_000_000;
  violations = createViolations(() => []);
  watch = createPresenceWatch(violations, () => nowMs);
  enter('ana', 'ana/1', 'hub-1');
  enter('ben', 'ben/1', 'hub-2');
  watch.begins('ben/1');
});

function enter(agentId: string, connection: string, hub: string) {
  watch.connections.live(agentId, connection, hub);
  watch.connections.subscribed(agentId, connection, 'room');
}
function pass(ms: number) {
  for (let left = ms; left > 0; left -= 1_000) {
    nowMs += Math.min(1_000, left);
    watch.sweep();
  }
}
const benSees = (status: string, agentId = 'ana') =>
  watch.onEvent('ben/1', 'room', [{ agentId, status }], nowMs);
const kinds = () => violations.kept.map(({ kind }) => kind);

describe('an offline event', () => {
  it('is false if a connection was open before and after it', () => {
    pass(10_000);
    benSees('offline');
    pass(3_000);
    expect(kinds()).toEqual(['false offline']);
  });

  it('is judged by its publication time, so a late delivery is not false', () => {
    watch.connections.lost('ana', 'ana/1');
    const publishedMs = nowMs;
    enter('ana', 'ana/1', 'hub-1');
    pass(10_000);
    watch.onEvent('ben/1', 'room', [{ agentId: 'ana', status: 'offline' }], publishedMs);
    pass(3_000);
    benSees('online');
    pass(60_000);
    expect(kinds()).toEqual([]);
  });

  it('is a flicker if it is corrected within a second', () => {
    pass(10_000);
    benSees('offline');
    nowMs += 500;
    benSees('online');
    pass(60_000);
    expect(kinds()).toEqual([]);
    expect(watch.totals.flickers).toBe(1);
  });

  it('is true if the agent had just lost its only connection', () => {
    pass(10_000);
    watch.connections.lost('ana', 'ana/1');
    benSees('offline');
    nowMs += 300;
    enter('ana', 'ana/1', 'hub-2');
    pass(1_000);
    benSees('online');
    pass(60_000);
    expect(kinds()).toEqual([]);
    expect(watch.totals.flickers).toBe(0);
  });

  it('is false if the agent had another open connection', () => {
    enter('ana', 'ana/2', 'hub-3');
    pass(10_000);
    watch.connections.lost('ana', 'ana/1');
    benSees('offline');
    pass(3_000);
    expect(kinds()).toEqual(['false offline']);
  });

  it('is false if it is not corrected after the agent returned', () => {
    pass(10_000);
    watch.connections.lost('ana', 'ana/1');
    benSees('offline');
    enter('ana', 'ana/1', 'hub-2');
    pass(20_000);
    expect(kinds()).toEqual([]);
    pass(10_000);
    expect(kinds()).toEqual(['false offline']);
    pass(60_000);
    expect(violations.total).toBe(1);
  });

  it('is allowed while Redis is away, and for the stale time after that', () => {
    pass(10_000);
    watch.onRedisLost();
    watch.connections.lost('ana', 'ana/1');
    benSees('offline');
    enter('ana', 'ana/1', 'hub-2');
    pass(60_000);
    watch.onRedisBack();
    pass(20_000);
    expect(kinds()).toEqual([]);
    pass(10_000);
    expect(kinds()).toEqual(['false offline']);
  });

  it('is void for a subscriber that reconnected and listed presence again', () => {
    pass(10_000);
    watch.connections.lost('ana', 'ana/1');
    benSees('offline');
    enter('ana', 'ana/1', 'hub-2');
    watch.ends('ben/1');
    watch.begins('ben/1');
    watch.onList('ben/1', 'room', ['ana', 'ben'], nowMs);
    pass(60_000);
    expect(kinds()).toEqual([]);
  });
});

describe('an agent whose subscribe is not answered yet', () => {
  beforeEach(() => {
    pass(10_000);
    watch.connections.lost('ana', 'ana/1');
    watch.connections.live('ana', 'ana/1', 'hub-2');
  });

  it('may be shown offline, and need not be listed', () => {
    pass(3_300);
    benSees('offline');
    pass(20_000);
    watch.checkList('hub-2', 'room', ['ben'], nowMs);
    expect(kinds()).toEqual([]);
  });

  it('is present from the answer on', () => {
    watch.connections.subscribed('ana', 'ana/1', 'other');
    pass(20_000);
    benSees('offline');
    watch.connections.subscribed('ana', 'ana/1', 'room');
    pass(14_000);
    watch.checkList('hub-2', 'room', ['ben'], nowMs);
    expect(kinds()).toEqual([]);
    pass(2_000);
    watch.checkList('hub-2', 'room', ['ben'], nowMs);
    expect(kinds()).toEqual(['false offline']);
    expect(violations.kept[0]?.text).toMatch(/ana\/1 at hub-2 .* \(subscribed /);
    pass(10_000);
    expect(violations.kept.map(({ text }) => text).join()).toContain('ana stays offline to ben/1');
  });

  it('counts as present when it waits too long', () => {
    pass(subscribeMaxMs + 14_000);
    watch.checkList('hub-2', 'room', ['ben'], nowMs);
    expect(kinds()).toEqual([]);
    pass(2_000);
    watch.checkList('hub-2', 'room', ['ben'], nowMs);
    expect(kinds()).toEqual(['false offline']);
    expect(violations.kept[0]?.text).toContain('(not subscribed)');
  });

  it('is present by its other connection', () => {
    enter('ana', 'ana/2', 'hub-1');
    pass(16_000);
    watch.checkList('hub-2', 'room', ['ben'], nowMs);
    expect(kinds()).toEqual(['false offline']);
  });
});

describe('one event to many subscribers', () => {
  it('is one violation, and so is one agent that many subscribers see wrongly', () => {
    watch.begins('cem/1');
    pass(10_000);
    for (const subscriber of ['ben/1', 'cem/1'])
      watch.onEvent(subscriber, 'room', [{ agentId: 'ana', status: 'offline' }], nowMs);
    pass(60_000);
    expect(kinds()).toEqual(['false offline', 'false offline']);
    expect(violations.kept.every(({ text }) => text.includes('and 1 more'))).toBe(true);
  });
});

describe('a list', () => {
  it('without a connected agent is a false offline', () => {
    pass(20_000);
    watch.checkList('hub-2', 'room', ['ben'], nowMs);
    expect(violations.kept).toMatchObject([{ kind: 'false offline' }]);
  });

  it('with an agent that closed more than a lease ago is a ghost, reported once', () => {
    watch.connections.lost('ana', 'ana/1');
    watch.connections.closed('ana');
    pass(leaseMs);
    watch.checkList('hub-2', 'room', ['ana', 'ben'], nowMs);
    expect(kinds()).toEqual([]);
    pass(6_000);
    watch.checkList('hub-2', 'room', ['ana', 'ben'], nowMs);
    watch.checkList('hub-2', 'room', ['ana', 'ben'], nowMs);
    expect(kinds()).toEqual(['ghost']);
  });
});

describe('an agent that is gone', () => {
  it('and still shown to a subscriber is a false online', () => {
    benSees('online');
    watch.connections.lost('ana', 'ana/1');
    watch.connections.closed('ana');
    pass(leaseMs + 20_000);
    expect(kinds()).toEqual([]);
    pass(10_000);
    expect(kinds()).toEqual(['false online']);
    expect(nowMs).toBeLessThan(watch.settledAtMs + 10_000);
  });

  it('and shown offline is right', () => {
    benSees('online');
    watch.connections.lost('ana', 'ana/1');
    watch.connections.closed('ana');
    benSees('offline');
    pass(100_000);
    expect(kinds()).toEqual([]);
  });
});
