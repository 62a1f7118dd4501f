import { describe, expect, it } from '@jest/globals';
import type { HubClient } from '@openclaw/client';
import type { Channel, Member } from '@openclaw/protocol';
import { createChats } from './chats.ts';
import { channelOf, envelopeOf, memberOf, sentOf } from '../testing/events.ts';

const channel = channelOf('c');

/** A client that says what it is asked, and subscribes when it is let. */
function createStub() {
  const asked: string[] = [];
  const { promise: subscribed, resolve: subscribe } = Promise.withResolvers<void>();
  const threads = { nextCursor: null as string | null };
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
    async threads() {
      asked.push('threads');
      return { threads: [], nextCursor: threads.nextCursor };
    },
    presence: answer('presence', { presences: [], degraded: false, nextCursor: null }),
  };
  const { promise: listed, resolve: list } = Promise.withResolvers<{ channels: Channel[] }>();
  const client = {
    ...{ channel: () => stub, readState: async () => ({ channels: [] }) },
    async channels() {
      asked.push('list');
      return { ...(await listed), nextCursor: null };
    },
  } as unknown as HubClient;
  return { client, asked, subscribe, list, members, threads };
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
    chats.add(channelOf('left'));
    const refreshed = chats.refresh();
    chats.add(channelOf('joined'));
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

  // The race: an owner removes the agent and brings it in again while it is away; its events end at the leave, and the
  // list may have been read before it. Invariant: whoever is a member has the channel.
  it('come back when the agent was removed and brought in again', async () => {
    const { client, subscribe, list } = createStub();
    subscribe();
    list({ channels: [channel] });
    const chats = createChats(client, 'ada', (what, error) => {
      throw new Error(what, { cause: error });
    });
    const before = chats.add(channel);
    chats.apply([
      envelopeOf(1, { type: 'channel.member.leave', channelId: 'c', member: memberOf('ada') }),
    ]);
    expect(chats.byId.value.size).toBe(0);
    await chats.refresh();
    expect(chats.byId.value.get('c')).not.toBe(before);
    expect(chats.byId.value.has('c')).toBe(true);
    chats.close();
  });

  it('are listed once more, and not each time, when that is asked for again and again', async () => {
    const { client, asked, list } = createStub();
    const chats = createChats(client, 'ada', () => undefined);
    const refreshes = Array.from({ length: 50 }, () => chats.refresh());
    list({ channels: [] });
    await Promise.all(refreshes);
    expect(asked).toEqual(['list', 'list']);
    chats.close();
  });

  it('keep the threads that the hub’s list has no room for', async () => {
    const { client, subscribe, members, threads } = createStub();
    subscribe();
    members.resolve([]);
    const chats = createChats(client, 'ada', () => undefined);
    const chat = chats.add(channel);
    chats.apply([sentOf(1, { id: 'r1', threadId: 'newest' })]);
    threads.nextCursor = 'more';
    await chats.open(chat);
    expect(chat.threads.value.get('newest')?.replies).toBe(1);
    chats.close();
  });
});
