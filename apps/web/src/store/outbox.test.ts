import { describe, expect, it } from '@jest/globals';
import { HubError, type HubClient } from '@openclaw/client';
import type { Message } from '@openclaw/protocol';
import { channelOf, messageOf, sentOf } from '../testing/events.ts';
import { useFakeTimers } from '../testing/fixtures.ts';
import { createChat } from './chat.ts';
import { createOutbox } from './outbox.ts';
import { addPage, emptyTimeline } from './timeline.ts';

const draft = { channelId: 'c', agentId: null, threadId: null, mentions: [], content: 'hello' };
const stored = async () => ({ messageId: 'm1', seq: 1, timestamp: 1, duplicate: false });
const never = () => new Promise(() => {});

function createStorage(): Storage {
  const values = new Map<string, string>();
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  } as unknown as Storage;
}

/** `answer` gets the number of the attempt. The client records the ids of its sends. */
function createFixture(answer: (attempt: number) => Promise<unknown>, storage = createStorage()) {
  const sentIds: string[] = [];
  const client = {
    channel: () => ({
      send: (_content: string, { clientMessageId }: { clientMessageId: string }) => {
        sentIds.push(clientMessageId);
        return answer(sentIds.length);
      },
    }),
  } as unknown as HubClient;
  const chat = createChat(channelOf('c'), 'ada');
  const outbox = createOutbox(client, storage, 'ada', () => chat);
  const load = (...messages: Message[]) => {
    const page = { messages, systemEvents: [], head: messages.length, hasMore: false };
    chat.timeline.value = addPage(emptyTimeline(), page, 'newest', 100);
  };
  load();
  /** Returns the nth send in the form in which the hub stores it. */
  const own = (seq: number, n: number) =>
    sentOf(seq, { senderId: 'ada', content: 'hello', clientMessageId: sentIds[n - 1] ?? '' });
  const states = () => outbox.items.value.map(({ state }) => state);
  return { ...useFakeTimers(), outbox, chat, load, own, states, sentIds, storage };
}

describe('outgoing messages', () => {
  it('stay until the timeline has them, also after the answer', async () => {
    using fixture = createFixture(stored);
    const { outbox, chat } = fixture;
    outbox.send(draft);
    expect(fixture.states()).toEqual(['sending']);
    await fixture.settle();
    expect(fixture.states()).toEqual(['stored']);
    chat.apply([fixture.own(1, 1)]);
    expect(fixture.states()).toEqual([]);
  });

  it('leave with the answer when the event came first', async () => {
    const answer = Promise.withResolvers<unknown>();
    using fixture = createFixture(() => answer.promise);
    const { outbox, chat } = fixture;
    outbox.send({ ...draft, threadId: 'closed' });
    // The channel's timeline does not show a reply, and the reply's thread is not open.
    chat.apply([sentOf(1, { threadId: 'closed', senderId: 'ada' })]);
    expect(fixture.states()).toEqual(['sending']);
    answer.resolve(await stored());
    await fixture.settle();
    expect(fixture.states()).toEqual([]);
  });

  it('of equal text settle each by itself', async () => {
    const first = Promise.withResolvers<unknown>();
    using fixture = createFixture((attempt) => (attempt === 1 ? first.promise : never()));
    const { outbox, chat, sentIds } = fixture;
    outbox.send(draft);
    outbox.send(draft);
    chat.apply([fixture.own(1, 2)]);
    expect(outbox.items.value.map(({ id }) => id)).toEqual([sentIds[0]]);
    first.reject(new HubError('forbidden', 'not yours'));
    await fixture.settle();
    expect(outbox.items.value).toMatchObject([{ id: sentIds[0], state: 'failed' }]);
  });

  it('are not taken for a message of another agent with the same id', () => {
    using fixture = createFixture(never);
    fixture.outbox.send(draft);
    const { message } = fixture.own(1, 1).event as { message: Message };
    fixture.chat.apply([sentOf(1, { ...message, senderId: 'bob' })]);
    expect(fixture.states()).toEqual(['sending']);
  });

  it('that are refused stay with the reason until they are retried or discarded', async () => {
    using fixture = createFixture(async (attempt) => {
      if (attempt === 1) throw new HubError('forbidden', 'not yours');
      return stored();
    });
    const { outbox, sentIds } = fixture;
    outbox.send(draft);
    await fixture.settle();
    const [item] = outbox.items.value;
    expect(item).toMatchObject({ state: 'failed', error: 'Not yours.' });
    outbox.retry(item?.id ?? '');
    await fixture.settle();
    expect(fixture.states()).toEqual(['stored']);
    expect(sentIds[1]).toBe(sentIds[0]);
  });

  it('that the hub cannot store now are sent again later, under the same id', async () => {
    using fixture = createFixture(async (attempt) => {
      if (attempt < 3) throw new HubError('unavailable', 'later', { retryAfterMs: 500 });
      return stored();
    });
    fixture.outbox.send(draft);
    await fixture.advance(1_000);
    expect(fixture.sentIds).toHaveLength(3);
    expect(new Set(fixture.sentIds).size).toBe(1);
    expect(fixture.states()).toEqual(['stored']);
  });

  it('survive a reload, under the same id', async () => {
    using before = createFixture(never);
    before.outbox.send(draft);
    using after = createFixture(stored, before.storage);
    after.outbox.resume();
    await after.settle();
    expect(after.sentIds).toEqual(before.sentIds);
    expect(after.states()).toEqual(['stored']);
  });

  it('that were stored before a reload are found in the history, and not shown twice', async () => {
    using before = createFixture(async (attempt) => (attempt === 1 ? never() : stored()));
    before.outbox.send(draft);
    before.outbox.send(draft);
    await before.settle();
    expect(before.states()).toEqual(['sending', 'stored']);
    using after = createFixture(never, before.storage);
    after.outbox.resume();
    // The second message was stored before the reload, so it is no longer in the outbox.
    expect(after.states()).toEqual(['sending']);
    after.load(messageOf(1, { senderId: 'ada', clientMessageId: before.sentIds[0] ?? '' }));
    expect(after.states()).toEqual([]);
  });
});
