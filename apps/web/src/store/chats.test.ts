import { describe, expect, it } from '@jest/globals';
import type { HubClient } from '@openclaw/client';
import type { Channel, Member } from '@openclaw/protocol';
import { channelOf, envelopeOf, memberOf, sentOf } from '../testing/events.ts';
import { noFailures, noOtherTabs } from '../testing/fixtures.ts';
import { createChats } from './chats.ts';

const joinOf = (seq: number, agentId: string) =>
  envelopeOf(seq, { type: 'channel.member.join', channelId: 'c', member: memberOf(agentId) });
const leaveOf = (seq: number, agentId: string) =>
  envelopeOf(seq, { type: 'channel.member.leave', channelId: 'c', member: memberOf(agentId) });
const nextTask = () => new Promise((resolve) => setImmediate(resolve));

function createFixture({ nextThreads = null as string | null } = {}) {
  const calls: string[] = [];
  const subscribed = Promise.withResolvers<void>();
  const members = Promise.withResolvers<readonly Member[]>();
  const listed = Promise.withResolvers<readonly Channel[]>();
  const answer = (name: string, result: object | Promise<object>) => async () => {
    calls.push(name);
    return { nextCursor: null, ...(await result) };
  };
  const channel = {
    subscribe: () => subscribed.promise,
    watchStreams: () => () => undefined,
    history: answer('history', { messages: [], head: 0, hasMore: false }),
    members: answer(
      'members',
      members.promise.then((found) => ({ members: found })),
    ),
    threads: answer('threads', { threads: [], nextCursor: nextThreads }),
    presence: answer('presence', { presences: [], degraded: false }),
  };
  const client = {
    channel: () => channel,
    readState: async () => ({ channels: [] }),
    questions: async () => ({ questions: [] }),
    asks: async () => ({ asks: [] }),
    channels: answer(
      'list',
      listed.promise.then((channels) => ({ channels })),
    ),
  } as unknown as HubClient;
  const chats = createChats(client, 'ada', noFailures, noOtherTabs);
  const { resolve: subscribe } = subscribed;
  const { resolve: answerMembers } = members;
  const { resolve: answerList } = listed;
  return {
    chats,
    calls,
    subscribe,
    answerMembers,
    answerList,
    [Symbol.dispose]: () => chats.close(),
  };
}

describe('the channels of an agent', () => {
  // The race: an event is stored after the history was read and before the subscription begins, so neither contains
  // it.
  it('are loaded after the subscription, not before', async () => {
    using fixture = createFixture();
    const { chats, calls } = fixture;
    const opening = chats.open(chats.add(channelOf('c')));
    await nextTask();
    expect(calls).toEqual([]);
    fixture.subscribe();
    fixture.answerMembers([]);
    await opening;
    expect(calls.filter((name) => name !== 'presence').sort()).toEqual([
      ...['history', 'members', 'threads'],
    ]);
  });

  // The race: the agent joins a channel while the list of channels is read, and the list does not contain it.
  it('stay when they were joined during the read of the list, and are removed when they were left', async () => {
    using fixture = createFixture();
    const { chats } = fixture;
    fixture.subscribe();
    chats.add(channelOf('left'));
    const refreshed = chats.refresh();
    chats.add(channelOf('joined'));
    fixture.answerList([channelOf('c')]);
    await refreshed;
    expect([...chats.byId.value.keys()].sort()).toEqual(['c', 'joined']);
  });

  // The race: an event changes the members while they are read.
  it('show members who joined or left during the read of the members', async () => {
    using fixture = createFixture();
    const { chats } = fixture;
    fixture.subscribe();
    const chat = chats.add(channelOf('c'));
    // This event of eve comes before the read, and must not make her the only member.
    chats.apply([joinOf(1, 'eve')]);
    const opening = chats.open(chat);
    await nextTask();
    chats.apply([joinOf(2, 'bob'), leaveOf(3, 'eve')]);
    fixture.answerMembers([memberOf('ada'), memberOf('eve')]);
    await opening;
    expect([...chat.members.value.keys()].sort()).toEqual(['ada', 'bob']);
  });

  // The race: while the agent is disconnected, an owner removes it and adds it again. The agent's events end at the
  // leave, and the list of channels may be older than the leave. So the page must read the list again.
  it('are shown again when the agent was removed and added again', async () => {
    using fixture = createFixture();
    const { chats } = fixture;
    fixture.subscribe();
    fixture.answerList([channelOf('c')]);
    const before = chats.add(channelOf('c'));
    chats.apply([leaveOf(1, 'ada')]);
    expect(chats.byId.value.size).toBe(0);
    await chats.refresh();
    expect(chats.byId.value.get('c')).not.toBe(before);
    expect(chats.byId.value.has('c')).toBe(true);
  });

  it('are listed once more after many refreshes during one read', async () => {
    using fixture = createFixture();
    const refreshes = Array.from({ length: 50 }, () => fixture.chats.refresh());
    fixture.answerList([]);
    await Promise.all(refreshes);
    expect(fixture.calls).toEqual(['list', 'list']);
  });

  it('keep the threads that the list of threads has no room for', async () => {
    using fixture = createFixture({ nextThreads: 'more' });
    const { chats } = fixture;
    fixture.subscribe();
    fixture.answerMembers([]);
    const chat = chats.add(channelOf('c'));
    chats.apply([sentOf(1, { id: 'r1', threadId: 'newest' })]);
    await chats.open(chat);
    expect(chat.threads.value.get('newest')?.replies).toBe(1);
  });
});
