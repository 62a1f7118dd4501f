import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { HubError, type HubClient } from '@openclaw/client';
import { messageOf } from '../testing/events.ts';
import { createOutbox } from './outbox.ts';

type Sent = { readonly content: string; readonly clientMessageId: string };
const draft = { channelId: 'c', agentId: null, threadId: null, mentions: [] };

/** A storage of one test. */
function createStorage(): Storage {
  const values = new Map<string, string>();
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  } as unknown as Storage;
}

function start(
  answer: (sent: Sent, attempt: number) => Promise<unknown>,
  storage = createStorage(),
) {
  const sends: Sent[] = [];
  const stored: string[] = [];
  const client = {
    channel: () => ({
      send: (content: string, { clientMessageId }: { clientMessageId: string }) => {
        sends.push({ content, clientMessageId });
        return answer({ content, clientMessageId }, sends.length);
      },
    }),
  } as unknown as HubClient;
  const outbox = createOutbox(client, storage, 'ada', ({ content }) => stored.push(content));
  return { outbox, sends, stored, storage };
}

const settled = () => jest.advanceTimersByTimeAsync(0);
const ok = async () => ({ messageId: 'm1', seq: 1, timestamp: 1, duplicate: false });

describe('messages on their way', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('are gone when the hub has stored them', async () => {
    const { outbox, stored } = start(ok);
    outbox.send({ ...draft, content: 'hello' });
    expect(outbox.items.value).toHaveLength(1);
    await settled();
    expect(outbox.items.value).toEqual([]);
    expect(stored).toEqual(['hello']);
  });

  it('that are refused stay, with the reason, until they are tried again or thrown away', async () => {
    const { outbox, sends } = start(async (_sent, attempt) => {
      if (attempt === 1) throw new HubError('forbidden', 'not yours');
      return ok();
    });
    outbox.send({ ...draft, content: 'hello' });
    await settled();
    const [item] = outbox.items.value;
    expect(item).toMatchObject({ state: 'failed', error: 'not yours' });
    outbox.retry(item?.id ?? '');
    await settled();
    expect(outbox.items.value).toEqual([]);
    expect(sends[1]?.clientMessageId).toBe(sends[0]?.clientMessageId);
  });

  it('that the hub cannot take just now are made again when it says, under the same id', async () => {
    const { outbox, sends } = start(async (_sent, attempt) => {
      if (attempt < 3) throw new HubError('unavailable', 'later', { retryAfterMs: 500 });
      return ok();
    });
    outbox.send({ ...draft, content: 'hello' });
    await jest.advanceTimersByTimeAsync(1_000);
    expect(sends).toHaveLength(3);
    expect(new Set(sends.map(({ clientMessageId }) => clientMessageId)).size).toBe(1);
    expect(outbox.items.value).toEqual([]);
  });

  it('outlive a reload, under the same id', async () => {
    const before = start(() => new Promise(() => {}));
    before.outbox.send({ ...draft, content: 'hello' });
    const after = start(ok, before.storage);
    after.outbox.resume();
    await settled();
    expect(after.sends).toEqual(before.sends);
    expect(after.outbox.items.value).toEqual([]);
  });

  it('whose event comes before their answer are shown once', () => {
    const { outbox } = start(() => new Promise(() => {}));
    outbox.send({ ...draft, content: 'twice' });
    outbox.send({ ...draft, content: 'twice' });
    outbox.saw(messageOf(1, { content: 'twice', senderId: 'ada' }));
    expect(outbox.items.value.map(({ isShown }) => isShown)).toEqual([true, false]);
  });
});
