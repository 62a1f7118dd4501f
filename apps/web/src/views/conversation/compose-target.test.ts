import { describe, expect, it } from '@jest/globals';
import type { Outgoing } from '../../store/outbox.ts';
import { draftKey, isSentTo } from './compose-target.ts';

const channel = { channelId: 'c', peer: null, threadId: null };
const direct = { channelId: 'dm_1', peer: 'bob', threadId: null };
const outgoing = (to: Pick<Outgoing, 'channelId' | 'agentId' | 'threadId'>) => to as Outgoing;

describe("a draft's key", () => {
  it('depends on the channel or peer, and on the thread', () => {
    expect(draftKey(channel)).toBe('c');
    expect(draftKey({ ...channel, threadId: 'm1' })).toBe('c/m1');
    expect(draftKey(direct)).toBe('@bob');
    expect(draftKey({ ...direct, threadId: 'm1' })).toBe('@bob/m1');
  });

  it('does not change when a direct channel is created', () => {
    expect(draftKey({ ...direct, channelId: null })).toBe(draftKey(direct));
  });
});

describe('an outgoing message', () => {
  it('is shown where it was written', () => {
    const toChannel = outgoing({ channelId: 'c', agentId: null, threadId: null });
    expect(isSentTo(channel, toChannel)).toBe(true);
    expect(isSentTo({ ...channel, threadId: 'm1' }, toChannel)).toBe(false);
    expect(isSentTo(direct, toChannel)).toBe(false);
  });

  it('to an agent is shown in the direct channel that was created later', () => {
    const toBob = outgoing({ channelId: null, agentId: 'bob', threadId: null });
    expect(isSentTo(direct, toBob)).toBe(true);
    expect(isSentTo({ ...direct, threadId: 'm1' }, toBob)).toBe(false);
    expect(isSentTo({ ...direct, peer: 'eve' }, toBob)).toBe(false);
    expect(isSentTo(channel, toBob)).toBe(false);
  });
});
