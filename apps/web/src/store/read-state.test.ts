import { describe, expect, it } from '@jest/globals';
import type { HubClient } from '@openclaw/client';
import { channelOf, sentOf } from '../testing/events.ts';
import { noFailures, noOtherTabs, useFakeTimers } from '../testing/fixtures.ts';
import { createChat } from './chat.ts';
import { createReadState } from './read-state.ts';

function createFixture() {
  const timers = useFakeTimers();
  const hub = { marks: [] as number[], isAway: false, seq: 0, head: 0, unread: 0 };
  const client = {
    channel: () => ({
      async markRead(seq: number) {
        if (hub.isAway) throw new Error('away');
        hub.marks.push(seq);
        hub.seq = seq;
      },
    }),
    readState: async () => ({ channels: [{ ...hub, channelId: 'c', mentions: 0 }] }),
  } as unknown as HubClient;
  const reports = { ...noFailures, reportWhileLive: () => () => undefined };
  const readState = createReadState(client, noOtherTabs, reports);
  const chat = createChat(channelOf('c'), 'ada');
  chat.timeline.value = { ...chat.timeline.value, isLoaded: true };
  const refresh = async () => readState.apply(await readState.load(), () => chat);
  const markRead = async () => {
    readState.markSeen(chat, chat.timeline.peek().head);
    await timers.advance(1_000);
  };
  return { ...timers, hub, readState, chat, refresh, markRead };
}

describe('the read mark', () => {
  it('is sent to the hub, also past own messages, and once', async () => {
    using fixture = createFixture();
    const { hub, chat, refresh, markRead } = fixture;
    await refresh();
    chat.apply([sentOf(1), sentOf(2, { senderId: 'ada' })]);
    expect(chat.unread.value.count).toBe(1);
    await markRead();
    expect(hub.marks).toEqual([2]);
    expect(chat.unread.value.count).toBe(0);
    await markRead();
    expect(hub.marks).toEqual([2]);
  });

  it('is sent again after the hub was away', async () => {
    using fixture = createFixture();
    const { hub, chat, refresh, markRead } = fixture;
    chat.apply([sentOf(1)]);
    hub.isAway = true;
    await markRead();
    Object.assign(hub, { isAway: false, head: 1, unread: 1 });
    await refresh();
    await fixture.advance(1_000);
    expect(hub.marks).toEqual([1]);
    expect(chat.unread.value).toMatchObject({ seq: 1, count: 0 });
  });

  it('of another epoch is dropped', async () => {
    using fixture = createFixture();
    const { hub, chat, refresh, markRead } = fixture;
    chat.apply([sentOf(1_000)]);
    await markRead();
    fixture.readState.forget(chat);
    Object.assign(hub, { seq: 800, head: 900, unread: 5 });
    await refresh();
    expect(chat.unread.value).toMatchObject({ seq: 800, count: 5 });
  });
});
