import { HubError, type HubClient } from '@openclaw/client';
import type { Message } from '@openclaw/protocol';
import { createStoredValue } from './stored-value.ts';

/** A message on its way, or one that did not get through. */
export interface Outgoing {
  /** Its `clientMessageId`: made again with the same, it is stored once. */
  readonly id: string;
  /** Null while the direct channel with `agentId` may not exist yet. */
  readonly channelId: string | null;
  readonly agentId: string | null;
  readonly threadId: string | null;
  readonly content: string;
  readonly mentions: readonly string[];
  readonly atMs: number;
  readonly state: 'sending' | 'failed';
  readonly error: string | null;
  /** Its own event came before its answer: it stands in the timeline already. */
  readonly isShown: boolean;
}

/** Messages on their way; they outlive a reload. */
export interface Outbox {
  readonly items: { readonly value: readonly Outgoing[] };
  send(
    message: Pick<Outgoing, 'channelId' | 'agentId' | 'threadId' | 'content' | 'mentions'>,
  ): void;
  retry(id: string): void;
  discard(id: string): void;
  /** A message of this agent came by. */
  saw(message: Message): void;
  /** Sends what an earlier page left. */
  resume(): void;
  close(): void;
}

const itemsMax = 200;
// As long as somebody may be offline with the page open; a message is given up by people, not by a timer.
const sendTimeoutMs = 12 * 3_600_000;
const retriesMax = 8;
const passing: ReadonlySet<string> = new Set([
  'rate_limited',
  'unavailable',
  'timeout',
  'disconnected',
  'queue_full',
]);

/** `onSent` gets the message as the hub stored it, in case its event is not to come. */
export function createOutbox(
  client: HubClient,
  storage: Storage,
  me: string,
  onSent: (message: Message) => void,
): Outbox {
  const stored = createStoredValue<readonly Outgoing[]>(storage, `openclaw.outbox.${me}`, []);
  const items = stored.value;
  let isClosed = false;

  function change(id: string, next: Partial<Outgoing>) {
    items.value = items.peek().map((item) => (item.id === id ? { ...item, ...next } : item));
  }
  function remove(id: string) {
    items.value = items.peek().filter((item) => item.id !== id);
  }

  async function deliver(item: Outgoing, tries = 0): Promise<void> {
    const { id: clientMessageId, content, threadId, channelId, agentId } = item;
    const mentions = [...item.mentions];
    const options = { timeoutMs: sendTimeoutMs };
    try {
      const result =
        channelId === null
          ? await client.direct(agentId ?? '').send(content, { clientMessageId }, options)
          : {
              channelId,
              ...(await client
                .channel(channelId)
                .send(content, { threadId, clientMessageId, mentions }, options)),
            };
      const { messageId, seq, timestamp } = result;
      const blank = {
        senderKind: null,
        state: 'complete' as const,
        metadata: null,
        editedAt: null,
        deletedAt: null,
        reactions: {},
      };
      const message = { ...blank, seq, timestamp, content, threadId, mentions };
      onSent({ ...message, id: messageId, channelId: result.channelId, senderId: me });
      remove(clientMessageId);
    } catch (error) {
      if (isClosed || (error instanceof HubError && error.code === 'closed')) return;
      if (!(error instanceof HubError) || !passing.has(error.code) || tries >= retriesMax) {
        const why = error instanceof Error ? error.message : String(error);
        return change(clientMessageId, { state: 'failed', error: why });
      }
      const waitMs = error.retryAfterMs ?? 1_000;
      setTimeout(() => {
        if (!isClosed) void deliver(item, tries + 1);
      }, waitMs);
    }
  }

  return {
    items,
    send(message) {
      const item: Outgoing = {
        ...message,
        id: newId(),
        atMs: Date.now(),
        state: 'sending',
        error: null,
        isShown: false,
      };
      items.value = [...items.peek(), item].slice(-itemsMax);
      void deliver(item);
    },
    retry(id) {
      const item = items.peek().find((other) => other.id === id);
      if (item?.state !== 'failed') return;
      change(id, { state: 'sending', error: null });
      void deliver(item);
    },
    discard: remove,
    saw({ channelId, threadId, content }) {
      const own = items
        .peek()
        .find(
          (item) =>
            !item.isShown &&
            item.state === 'sending' &&
            (item.channelId === channelId || item.channelId === null) &&
            item.threadId === threadId &&
            item.content === content,
        );
      if (own !== undefined) change(own.id, { isShown: true });
    },
    resume() {
      for (const item of items.peek()) {
        if (item.state === 'sending') void deliver(item);
      }
    },
    close() {
      isClosed = true;
      stored.close();
    },
  };
}

function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${Date.now().toString(16).padStart(12, '0')}-${random}`;
}
