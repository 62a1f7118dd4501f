import { describe, expect, it } from '@jest/globals';
import type { HubClient } from '@openclaw/client';
import type { Channel, Member } from '@openclaw/protocol';
import { createChats } from './chats.ts';
import { envelopeOf } from './events.test.support.ts';

const channel: Channel = {
  ...{ channelId: 'c', name: 'C', kind: 'public', topic: null, metadata: null },
  ...{ createdBy: 'ada', createdAt: 0, archivedAt: null, head: 0 },
};

/** A client that says what it is asked, and subscribes when it is let. */
function createStub() {
  const asked: string[] = [];
  const { promise: subscribed, resolve: subscribe } = Promise.withResolvers<void>();
  const members = Promise.withResolvers<readonly Member[]>();
  const answer =
    <T>(name: string, value: T) =>
    async () => {
      asked.push(name);
      return value;
    };
  const stub = {
    subscribe: () => subscribed,
    history: answer('history', { messages: [], head: 0, hasMore: false }),
    members: () => {
      asked.push('members');
      return members.promise.then((found) => ({ members: found, nextCursor: null }));
    },
    threads: answer('threads', { threads: [], nextCursor: null }),
    presence: answer('presence', { presences: [], degraded: false, nextCursor: null }),
  };
  const { promise: listed, resolve: list } = Promise.withResolvers<{ channels: Channel[] }>();
  const client = {
    ...{ channel: () => stub, readState: async () => ({ channels: [] }) },
    channels: async () => ({ ...(await listed), nextCursor: null }),
  } as unknown as HubClient;
  return { client, asked, subscribe, list, members };
}

describe('the channels of an agent', () => {
  // The race: an event comes after the history was read and before the subscription began, and is in neither. Invariant:
  // what a view shows has no hole.
  it('are read once their events come, and not before', async () => {
    const { client, asked, subscribe, members } = createStub();
    const chats = createChats(client, 'ada', (what, error) => {
      throw new Error(what, { cause: error });
    });
    const opening = chats.open(chats.add(channel));
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toEqual([]);
    subscribe();
    members.resolve([]);
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

  // The race: an answer is on its way while an event changes what it says. Invariant: the newer of the two is shown.
  it('show who came and went while their list was on its way', async () => {
    const { client, subscribe, members } = createStub();
    subscribe();
    const chats = createChats(client, 'ada', (what, error) => {
      throw new Error(what, { cause: error });
    });
    const chat = chats.add(channel);
    const memberOf = (agentId: string): Member => ({
      ...{ channelId: 'c', agentId, role: 'member', displayName: null, joinedAt: 0 },
    });
    // One comes before the list is asked for, which must not pass for the list.
    chats.apply([
      envelopeOf(1, { type: 'channel.member.join', channelId: 'c', member: memberOf('eve') }),
    ]);
    const opening = chats.open(chat);
    await new Promise((resolve) => setImmediate(resolve));
    chats.apply([
      envelopeOf(2, { type: 'channel.member.join', channelId: 'c', member: memberOf('bob') }),
      envelopeOf(3, { type: 'channel.member.leave', channelId: 'c', member: memberOf('eve') }),
    ]);
    members.resolve([memberOf('ada'), memberOf('eve')]);
    await opening;
    expect([...chat.members.value.keys()].sort()).toEqual(['ada', 'bob']);
    chats.close();
  });
});
