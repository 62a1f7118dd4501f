import { describe, expect, it } from '@jest/globals';
import { HubError, type HubClient } from '@openclaw/client';
import { messageOf } from '../testing/events.ts';
import { useFakeTimers } from '../testing/fixtures.ts';
import { createOutbox } from './outbox.ts';

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

/** An outbox on a client that records the ids of its sends; `answer` gets the number of the attempt. */
function createFixture(answer: (attempt: number) => Promise<unknown>, storage = createStorage()) {
  const sentIds: string[] = [];
  const storedTexts: string[] = [];
  const client = {
    channel: () => ({
      send: (_content: string, { clientMessageId }: { clientMessageId: string }) => {
        sentIds.push(clientMessageId);
        return answer(sentIds.length);
      },
    }),
  } as unknown as HubClient;
  const outbox = createOutbox(client, storage, 'ada', ({ content }) => storedTexts.push(content));
  return { ...useFakeTimers(), outbox, sentIds, storedTexts, storage };
}

describe('outgoing messages', () => {
  it('are removed when the hub has stored them', async () => {
    using fixture = createFixture(stored);
    const { outbox } = fixture;
    outbox.send(draft);
    expect(outbox.items.value).toHaveLength(1);
    await fixture.settle();
    expect(outbox.items.value).toEqual([]);
    expect(fixture.storedTexts).toEqual(['hello']);
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
    expect(item).toMatchObject({ state: 'failed', error: 'not yours' });
    outbox.retry(item?.id ?? '');
    await fixture.settle();
    expect(outbox.items.value).toEqual([]);
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
    expect(fixture.outbox.items.value).toEqual([]);
  });

  it('survive a reload, under the same id', async () => {
    using before = createFixture(never);
    before.outbox.send(draft);
    using after = createFixture(stored, before.storage);
    after.outbox.resume();
    await after.settle();
    expect(after.sentIds).toEqual(before.sentIds);
    expect(after.outbox.items.value).toEqual([]);
  });

  it('whose event arrives before their answer are shown once', () => {
    using fixture = createFixture(never);
    const { outbox } = fixture;
    outbox.send(draft);
    outbox.send(draft);
    outbox.onOwnMessage(messageOf(1, { content: 'hello', senderId: 'ada' }));
    expect(outbox.items.value.map(({ isShown }) => isShown)).toEqual([true, false]);
  });
});
