import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createPresence, type PresenceRecord, type PresenceTracker } from '../index.ts';
import { trackerContract } from './tracker.contract.ts';

const online = { status: 'online', customStatus: null, avatar: null } as const;
const dnd = { status: 'dnd', customStatus: 'Deploying', avatar: null } as const;

trackerContract('without Redis', () => createPresence());

describe('presence in one process, without Redis', () => {
  let nowMs: number;
  let presence: PresenceTracker;
  let changes: [string, string, PresenceRecord['status']][];
  const here = (agentId: string, sessionId = `${agentId}-1`) => ({ agentId, sessionId });
  const told = () => changes.splice(0);

  beforeEach(() => {
    nowMs = 1_900_000_000_000;
    presence = createPresence({}, { clock: () => nowMs });
    changes = [];
    presence.onChange((channelId, { agentId, status }, { degraded }) => {
      expect(degraded).toBe(false);
      changes.push([channelId, agentId, status]);
    });
  });
  afterEach(() => presence.close());

  it('Presence tracking (join → heartbeat → leave): announces each change once', async () => {
    const { record, degraded } = await presence.track('c', here('a'));
    expect(record).toEqual({ agentId: 'a', ...online, lastSeen: nowMs });
    expect(degraded).toBe(false);
    expect(await presence.track('c', here('a'))).toEqual({ record: null, degraded: false });
    expect(told()).toEqual([['c', 'a', 'online']]);

    nowMs += 86_400_000;
    expect(await presence.get('c', 'a')).toMatchObject({ presence: online, degraded: false });
    expect(told()).toEqual([]);

    expect((await presence.untrack('c', here('a'))).record).toMatchObject({ status: 'offline' });
    expect((await presence.untrack('c', here('a'))).record).toBeNull();
    expect(told()).toEqual([['c', 'a', 'offline']]);
    expect(await presence.list('c')).toMatchObject({
      presences: [],
      nextCursor: null,
      count: 0,
      degraded: false,
    });
  });

  it('sets the state in all channels of the connection, and in those it joins later', async () => {
    await presence.track('c1', here('a'));
    await presence.track('c2', here('a'), { status: 'away' });
    await presence.track('c3', here('b'));
    told();
    await presence.set(here('a'), dnd);
    expect(told()).toEqual([
      ['c1', 'a', 'dnd'],
      ['c2', 'a', 'dnd'],
    ]);
    await presence.set(here('a'), dnd);
    expect(told()).toEqual([]);
    await presence.track('c4', here('a'));
    expect(told()).toEqual([['c4', 'a', 'dnd']]);
    expect((await presence.get('c4', 'a')).presence).toMatchObject(dnd);
  });

  it('remembers the state that a connection set before it joined a channel', async () => {
    await presence.set(here('a'), dnd);
    await presence.track('c', here('a'));
    expect(told()).toEqual([['c', 'a', 'dnd']]);
  });

  it("applies the agent's last call to all its connections", async () => {
    await presence.track('c', here('a', 's1'));
    await presence.set(here('a', 's1'), { ...online, status: 'away' });
    await presence.track('c', here('a', 's2'));
    await presence.set(here('a', 's2'), dnd);
    await presence.track('c', here('a', 's1'));
    expect((await presence.get('c', 'a')).presence).toMatchObject(dnd);
    // s1 joins a channel where s2 already has the later state.
    await presence.track('c2', here('a', 's2'));
    await presence.track('c2', here('a', 's1'));
    expect((await presence.get('c2', 'a')).presence).toMatchObject(dnd);
  });

  it('ends a closed connection in all its channels, and only that connection', async () => {
    for (const channelId of ['c1', 'c2', 'c3']) await presence.track(channelId, here('a', 's1'));
    await presence.track('c2', here('a', 's2'));
    told();
    await presence.untrackAll(here('a', 's1'));
    expect(told()).toEqual([
      ['c1', 'a', 'offline'],
      ['c3', 'a', 'offline'],
    ]);
    expect((await presence.list('c2')).presences).toHaveLength(1);
    expect(presence.stats()).toEqual({ leases: 1, unsent: 0, toReplay: 0, degraded: false });
  });

  it('keeps no state of connections that ended', async () => {
    for (let n = 0; n < 2000; n += 1) {
      await presence.track('c', here(`a${n}`));
      await presence.set(here(`a${n}`), dnd);
      await presence.untrackAll(here(`a${n}`));
    }
    expect(presence.stats()).toMatchObject({ leases: 0, unsent: 0, toReplay: 0 });
    expect((await presence.list('c')).count).toBe(0);
  });

  it('calls the other listeners although one throws, and none after its removal', async () => {
    const heard: string[] = [];
    const remove = presence.onChange((_, { status }) => heard.push(status));
    presence.onChange(() => {
      throw new Error('a listener of the app');
    });
    presence.onChange((_, { status }) => heard.push(`second ${status}`));
    await presence.track('c', here('a'));
    remove();
    await presence.untrack('c', here('a'));
    expect(heard).toEqual(['online', 'second online', 'second offline']);
  });

  it('refuses a lease beyond maxLeases', async () => {
    const small = createPresence({}, { maxLeases: 2 });
    await small.track('c', here('a'));
    await small.track('c', here('b'));
    await expect(small.track('c', here('x'))).rejects.toMatchObject({ code: 'full' });
    await small.untrack('c', here('a'));
    expect((await small.track('c', here('x'))).record).toMatchObject({ agentId: 'x' });
    await small.close();
  });

  it('announces every agent offline when it closes, and rejects later calls', async () => {
    await presence.track('c1', here('a'));
    await presence.track('c2', here('b'));
    told();
    await presence.close();
    await presence.close();
    expect(told()).toEqual([
      ['c1', 'a', 'offline'],
      ['c2', 'b', 'offline'],
    ]);
    const closed = { name: 'PresenceError', code: 'closed' };
    await expect(presence.track('c', here('a'))).rejects.toMatchObject(closed);
    await expect(presence.list('c')).rejects.toMatchObject(closed);
  });

  it('refuses invalid arguments and options', async () => {
    await expect(presence.track('c:d', here('a'))).rejects.toMatchObject({ code: 'invalid_id' });
    await expect(presence.set(here('a', ''), dnd)).rejects.toMatchObject({ code: 'invalid_id' });
    const status = 'offline' as 'away';
    await expect(presence.set(here('a'), { ...dnd, status })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    await expect(presence.list('c', { limit: 500 })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    expect(() => createPresence({}, { hubId: 'a:b' })).toThrow('hubId');
    expect(() => createPresence({}, { reapMs: 0 })).toThrow('reapMs');
  });
});
