import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { HubClient } from '@openclaw/client';
import { createChat } from './chat.ts';
import { channelOf, sentOf } from '../testing/events.ts';
import { createReadMarks } from './read-state.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** What the hub is told, and what it says; `isAway` makes it refuse. */
function createCase() {
  const hub = { told: [] as number[], isAway: false, seq: 0, head: 0, unread: 0 };
  const client = {
    state: 'reconnecting',
    channel: () => ({
      async markRead(seq: number) {
        if (hub.isAway) throw new Error('away');
        hub.told.push(seq);
        hub.seq = seq;
      },
    }),
    readState: async () => ({
      channels: [{ ...hub, channelId: 'c', mentions: 0 }],
    }),
  } as unknown as HubClient;
  const marks = createReadMarks(client, 'ada', (what) => {
    throw new Error(what);
  });
  const chat = createChat(channelOf('c'), 'ada');
  chat.timeline.value = { ...chat.timeline.value, isLoaded: true };
  const refresh = async () => marks.take(await marks.ask(), () => chat);
  return { hub, marks, chat, refresh };
}

describe('what was read', () => {
  it('is told to the hub, also when one’s own message behind it left nothing to count', async () => {
    const { hub, marks, chat, refresh } = createCase();
    await refresh();
    chat.apply([sentOf(1), sentOf(2, { senderId: 'ada' })]);
    expect(chat.unread.value.count).toBe(0);
    marks.markRead(chat);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(hub.told).toEqual([2]);
    marks.markRead(chat);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(hub.told).toEqual([2]);
  });

  it('is told again after the hub was away', async () => {
    const { hub, marks, chat, refresh } = createCase();
    chat.apply([sentOf(1)]);
    hub.isAway = true;
    marks.markRead(chat);
    await jest.advanceTimersByTimeAsync(1_000);
    Object.assign(hub, { isAway: false, head: 1, unread: 1 });
    await refresh();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(hub.told).toEqual([1]);
    expect(chat.unread.value).toMatchObject({ seq: 1, count: 0 });
  });

  it('of another life of the database is worth nothing', async () => {
    const { hub, marks, chat, refresh } = createCase();
    chat.apply([sentOf(1_000)]);
    marks.markRead(chat);
    await jest.advanceTimersByTimeAsync(1_000);
    marks.forget(chat);
    Object.assign(hub, { seq: 800, head: 900, unread: 5 });
    await refresh();
    expect(chat.unread.value).toMatchObject({ seq: 800, count: 5 });
  });
});
