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
  const { promise: listed, resolve: list } = Promise.withResolvers<{ channels: Channel[] }>();
  const client = {
    ...{ channel: () => stub, readState: async () => ({ channels: [] }) },
    channels: async () => ({ ...(await listed), nextCursor: null }),
  } as unknown as HubClient;
  return { client, asked, subscribe, list };
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

  // The race: the list is on its way when the agent joins a channel, which is not in it. Invariant: whoever joins stays.
  it('stay when they were joined while the list was on its way; those that were left go', async () => {
    const { client, subscribe, list } = createStub();
    subscribe();
    const chats = createChats(client, 'ada', (what, error) => {
      throw new Error(what, { cause: error });
    });
    chats.add({ ...channel, channelId: 'left' });
    const refreshed = chats.refresh();
    chats.add({ ...channel, channelId: 'joined' });
    list({ channels: [channel] });
    await refreshed;
    expect([...chats.byId.value.keys()].sort()).toEqual(['c', 'joined']);
    chats.close();
  });
});
