import { describe, expect, it } from '@jest/globals';
import type { HubClient } from '@openclaw/client';
import type { Channel } from '@openclaw/protocol';
import { createChats } from './chats.ts';

const channel: Channel = {
  ...{ channelId: 'c', name: 'C', kind: 'public', topic: null, metadata: null },
  ...{ createdBy: 'ada', createdAt: 0, archivedAt: null, head: 0 },
};

/** A client that says what it is asked, and subscribes when it is let. */
function createStub() {
  const asked: string[] = [];
  const { promise: subscribed, resolve: subscribe } = Promise.withResolvers<void>();
  const answer =
    <T>(name: string, value: T) =>
    async () => {
      asked.push(name);
      return value;
    };
  const stub = {
    subscribe: () => subscribed,
    history: answer('history', { messages: [], head: 0, hasMore: false }),
    members: answer('members', { members: [], nextCursor: null }),
    threads: answer('threads', { threads: [], nextCursor: null }),
    presence: answer('presence', { presences: [], degraded: false, nextCursor: null }),
  };
  return { client: { channel: () => stub } as unknown as HubClient, asked, subscribe };
}

describe('the channels of an agent', () => {
  // The race: an event comes after the history was read and before the subscription began, and is in neither. Invariant:
  // what a view shows has no hole.
  it('are read once their events come, and not before', async () => {
    const { client, asked, subscribe } = createStub();
    const chats = createChats(client, 'ada', (what, error) => {
      throw new Error(what, { cause: error });
    });
    const opening = chats.open(chats.add(channel));
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toEqual([]);
    subscribe();
    await opening;
    expect(asked.filter((name) => name !== 'presence').sort()).toEqual([
      ...['history', 'members', 'threads'],
    ]);
    chats.close();
  });
});
