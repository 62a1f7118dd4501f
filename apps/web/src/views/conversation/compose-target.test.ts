import { describe, expect, it } from '@jest/globals';
import type { Outgoing } from '../../store/outbox.ts';
import { draftKeyOf, isWrittenTo } from './compose-target.ts';

const channel = { channelId: 'c', peer: null, threadId: null };
const direct = { channelId: 'dm_1', peer: 'bob', threadId: null };
const outgoing = (to: Pick<Outgoing, 'channelId' | 'agentId' | 'threadId'>): Outgoing => ({
  ...{
    id: '1',
    content: 'so',
    mentions: [],
    atMs: 0,
    state: 'failed',
    error: 'No',
    isShown: false,
  },
  ...to,
});

describe("a draft's key", () => {
  it('is of a channel, of a thread, and of a peer', () => {
    expect(draftKeyOf(channel)).toBe('c');
    expect(draftKeyOf({ ...channel, threadId: 'm1' })).toBe('c/m1');
    expect(draftKeyOf(direct)).toBe('@bob');
    expect(draftKeyOf({ ...direct, threadId: 'm1' })).toBe('@bob/m1');
  });

  it('stays the same when a direct conversation gets its channel', () => {
    expect(draftKeyOf({ ...direct, channelId: null })).toBe(draftKeyOf(direct));
  });
});

describe('what is on its way', () => {
  it('is shown where it was written', () => {
    const toChannel = outgoing({ channelId: 'c', agentId: null, threadId: null });
    expect(isWrittenTo(channel, toChannel)).toBe(true);
    expect(isWrittenTo({ ...channel, threadId: 'm1' }, toChannel)).toBe(false);
    expect(isWrittenTo(direct, toChannel)).toBe(false);
  });

  it('to somebody is shown in the direct conversation, whose channel came later', () => {
    const toBob = outgoing({ channelId: null, agentId: 'bob', threadId: null });
    expect(isWrittenTo(direct, toBob)).toBe(true);
    expect(isWrittenTo({ ...direct, threadId: 'm1' }, toBob)).toBe(false);
    expect(isWrittenTo({ ...direct, peer: 'eve' }, toBob)).toBe(false);
    expect(isWrittenTo(channel, toBob)).toBe(false);
  });
});
