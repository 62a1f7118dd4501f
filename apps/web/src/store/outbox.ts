import { effect } from '@preact/signals';
import { createClientMessageId, HubError, type HubClient } from '@openclaw/client';
import { plainReason } from '../page/plain-errors.ts';
import type { KeyedStorage } from '../page/page-base.ts';
import { createStoredValue } from '../page/stored-value.ts';
import type { Chat } from './chat.ts';
import type { Entry } from './timeline.ts';

export interface Outgoing {
  /** The id is the message's `clientMessageId`, so that repeated calls store it once. */
  readonly id: string;
  /** Null while the direct channel with `agentId` may not exist yet. */
  readonly channelId: string | null;
  readonly agentId: string | null;
  readonly threadId: string | null;
  readonly content: string;
  readonly mentions: readonly string[];
  readonly state: 'sending' | 'stored' | 'failed';
  readonly error: string | null;
  readonly seq: number | null;
}

const itemsMax = 200;
// Only the user discards a message, so a send may wait through a night without connection.
const sendTimeoutMs = 12 * 3_600_000;
const retriesMax = 8;
const retryableCodes: ReadonlySet<string> = new Set([
  'rate_limited',
  'unavailable',
  'timeout',
  'disconnected',
  'queue_full',
]);

/**
 * Keeps messages, even over a reload, until a timeline contains them. The hub's answer only adds the seq, so it may
 * come before or after the message's event.
 */
export function createOutbox(
  client: HubClient,
  storage: KeyedStorage,
  me: string,
  chatOf: (item: Outgoing) => Chat | null | undefined,
) {
  const stored = createStoredValue<readonly Outgoing[]>(storage, `openclaw.outbox.${me}`, []);
  const items = stored.value;
  let isClosed = false;

  function isInTimeline(item: Outgoing): boolean {
    const chat = chatOf(item);
    if (!chat) return false;
    const isThis = (entry: Entry) =>
      entry.kind === 'message' &&
      entry.message.clientMessageId === item.id &&
      entry.message.senderId === me;
    const { head, entries } = chat.timeline.value;
    // Events arrive in order, so the timeline contains everything up to its head.
    if (item.seq !== null && item.seq <= head) return true;
    return entries.some(isThis) || (chat.thread.value?.entries.some(isThis) ?? false);
  }
  const stopMerging = effect(() => {
    const waiting = items.value.filter((item) => !isInTimeline(item));
    if (waiting.length < items.value.length) items.value = waiting;
  });

  function change(id: string, next: Partial<Outgoing>) {
    items.value = items.peek().map((item) => (item.id === id ? { ...item, ...next } : item));
  }
  function remove(id: string) {
    items.value = items.peek().filter((item) => item.id !== id);
  }

  /** Call it before a reload of the history, because the reload brings all stored messages. */
  function forgetStored() {
    items.value = items.peek().filter(({ state }) => state !== 'stored');
  }

  async function call({ id: clientMessageId, ...item }: Outgoing) {
    const { channelId, agentId, threadId, content } = item;
    const options = { timeoutMs: sendTimeoutMs };
    if (channelId === null) {
      return client.direct(agentId ?? '').send(content, { clientMessageId }, options);
    }
    const params = { threadId, clientMessageId, mentions: [...item.mentions] };
    return { channelId, ...(await client.channel(channelId).send(content, params, options)) };
  }

  async function deliver(item: Outgoing, tries = 0): Promise<void> {
    try {
      const { channelId, seq } = await call(item);
      change(item.id, { state: 'stored', channelId, seq });
    } catch (error) {
      if (isClosed || (error instanceof HubError && error.code === 'closed')) return;
      if (!(error instanceof HubError) || !retryableCodes.has(error.code) || tries >= retriesMax) {
        return change(item.id, { state: 'failed', error: plainReason(error) });
      }
      setTimeout(() => {
        if (!isClosed) void deliver(item, tries + 1);
      }, error.retryAfterMs ?? 1_000);
    }
  }

  return {
    items,
    send(message: Pick<Outgoing, 'channelId' | 'agentId' | 'threadId' | 'content' | 'mentions'>) {
      const item: Outgoing = {
        ...message,
        id: createClientMessageId(),
        state: 'sending',
        error: null,
        seq: null,
      };
      items.value = [...items.peek(), item].slice(-itemsMax);
      void deliver(item);
    },
    retry(id: string) {
      const item = items.peek().find((other) => other.id === id);
      if (item?.state !== 'failed') return;
      change(id, { state: 'sending', error: null });
      void deliver(item);
    },
    discard: remove,
    forgetStored,
    resume() {
      forgetStored();
      for (const item of items.peek()) if (item.state === 'sending') void deliver(item);
    },
    close() {
      isClosed = true;
      stopMerging();
      stored.close();
    },
  };
}
