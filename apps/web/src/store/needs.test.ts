import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { HubClient } from '@openclaw/client';
import type { InboxItem } from '@openclaw/protocol';
import { envelopeOf, messageOf } from '../testing/events.ts';
import { createNeeds, type Needs } from './needs.ts';

const itemOf = (seq: number): InboxItem => ({
  ...{ cursor: `at ${seq}`, class: 'wake', reason: 'mention', channelId: 'c', seq },
  ...{ message: messageOf(seq), event: null, line: null, askId: null, questionId: null, ageMs: 0 },
});

function createInbox(count: number) {
  let waiting = Array.from({ length: count }, (_, n) => itemOf(n + 1));
  const seqOf = (cursor: string) => Number(cursor.slice('at '.length));
  const acks: string[] = [];
  async function call(method: string, params: Record<string, unknown>) {
    if (method === 'inbox.ack') {
      const cursor = String(params['cursor']);
      acks.push(cursor);
      waiting = waiting.filter(({ seq }) => seq > seqOf(cursor));
      return {};
    }
    const after = typeof params['after'] === 'string' ? seqOf(params['after']) : 0;
    const limit = Number(params['limit']);
    const found = waiting.filter(({ seq }) => seq > after);
    const isNewest = params['maxChars'] !== undefined;
    const items = isNewest ? found.slice(-limit) : found.slice(0, limit);
    const omitted = {
      count: isNewest ? found.length - items.length : 0,
      channels: [],
      after: null,
    };
    const cursor = items.at(-1)?.cursor ?? 'at 0';
    return { items, omitted, cursor, hasMore: !isNewest && found.length > limit };
  }
  return { acks, client: { call } as unknown as HubClient };
}

const storage = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
const reports = { report: () => () => undefined, reportWhileLive: () => () => undefined };
let needs: Needs | null = null;

function needsOf(inbox: ReturnType<typeof createInbox>, muted: readonly string[] = []) {
  const { client } = inbox;
  const isMuted = (id: string) => muted.includes(id);
  needs = createNeeds({ client, me: 'ada', storage, reports, isMuted });
  return needs;
}

beforeEach(() => {
  jest.useFakeTimers();
  Object.assign(globalThis, { window: new EventTarget() });
});
afterEach(() => {
  needs?.close();
  jest.useRealTimers();
});

describe('what is done', () => {
  it('is acknowledged up to the first that is not, after the time to undo it', async () => {
    const inbox = createInbox(3);
    const all = needsOf(inbox);
    await all.read();
    expect(all.open.value.map(({ seq }) => seq)).toEqual([3, 2, 1]);
    const [third, second, first] = all.open.value as [never, never, never];
    all.done(third);
    await jest.advanceTimersByTimeAsync(6_000);
    expect(inbox.acks).toEqual([]);
    all.done(first);
    all.undo(first);
    await jest.advanceTimersByTimeAsync(6_000);
    expect(inbox.acks).toEqual([]);
    all.done(first);
    await jest.advanceTimersByTimeAsync(6_000);
    expect(inbox.acks).toEqual(['at 1']);
    all.done(second);
    await jest.advanceTimersByTimeAsync(6_000);
    expect(inbox.acks).toEqual(['at 1', 'at 3']);
    expect(all.open.value).toEqual([]);
  });

  // The fault: an acknowledgement covers all earlier items, also the items that a full page leaves
  // out.
  it('never acknowledges an item that was not shown, however many there are', async () => {
    const inbox = createInbox(1_500);
    const all = needsOf(inbox);
    await all.read();
    expect(all.open.value).toHaveLength(1_200);
    expect(all.betweenCount.value).toBe(300);
    expect(all.open.value[0]?.seq).toBe(1_500);
    all.allDone();
    await jest.advanceTimersByTimeAsync(20_000);
    expect(inbox.acks[0]).toBe('at 1000');
    expect(all.open.value.map(({ seq }) => seq)).toEqual(
      Array.from({ length: 300 }, (_, n) => 1_300 - n),
    );
    expect(all.betweenCount.value).toBe(0);
  });
});

describe('failures of agents', () => {
  const failed = (seq: number, senderId = 'bob') =>
    envelopeOf(
      seq,
      { type: 'collaboration.event', channelId: 'c', name: 'task.failed', payload: {} },
      senderId,
    );

  it('stand once for each agent and channel, and come back only when they are newer', async () => {
    const all = needsOf(createInbox(0));
    await all.read();
    all.apply(Array.from({ length: 100 }, (_, n) => failed(n + 1)));
    all.apply([failed(200, 'eve')]);
    expect(all.open.value.map(({ seq }) => seq)).toEqual([200, 100]);
    all.allDone();
    // The page gets these events again after a reload.
    all.noteFailures([failed(99), failed(100)]);
    expect(all.open.value).toEqual([]);
    all.apply([failed(201)]);
    expect(all.open.value.map(({ seq }) => seq)).toEqual([201]);
  });

  it('need nobody in a muted channel', () => {
    const all = needsOf(createInbox(0), ['c']);
    all.apply([failed(1)]);
    expect(all.open.value).toEqual([]);
  });
});
