import { HubError, type HubClient } from '@openclaw/client';
import type { Message } from '@openclaw/protocol';
import { errorMessage } from '../page/notices.ts';
import { createStoredValue } from '../page/stored-value.ts';

/** A message that is being sent, or that was refused. */
export interface Outgoing {
  /** Its `clientMessageId`: repeated calls store it once. */
  readonly id: string;
  /** Null while the direct channel with `agentId` may not exist yet. */
  readonly channelId: string | null;
  readonly agentId: string | null;
  readonly threadId: string | null;
  readonly content: string;
  readonly mentions: readonly string[];
  readonly state: 'sending' | 'failed';
  readonly error: string | null;
  /** Its event arrived before the answer, so the timeline shows it already. */
  readonly isShown: boolean;
}

const itemsMax = 200;
// Long enough for a night offline with the page open: only the user discards a message.
const sendTimeoutMs = 12 * 3_600_000;
const retriesMax = 8;
const retryableCodes: ReadonlySet<string> = new Set([
  'rate_limited',
  'unavailable',
  'timeout',
  'disconnected',
  'queue_full',
]);

/** The messages that are not stored yet; they survive a reload. `onSent` gets each one, in case its event is lost. */
export function createOutbox(
  client: HubClient,
  storage: Storage,
  me: string,
  onSent: (message: Message) => void,
) {
  const stored = createStoredValue<readonly Outgoing[]>(storage, `openclaw.outbox.${me}`, []);
  const items = stored.value;
  let isClosed = false;

  function change(id: string, next: Partial<Outgoing>) {
    items.value = items.peek().map((item) => (item.id === id ? { ...item, ...next } : item));
  }
  function remove(id: string) {
    items.value = items.peek().filter((item) => item.id !== id);
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
    const { id, content, threadId } = item;
    try {
      const result = await call(item);
      onSent({
        id: result.messageId,
        channelId: result.channelId,
        seq: result.seq,
        timestamp: result.timestamp,
        senderId: me,
        senderKind: null,
        state: 'complete',
        content,
        threadId,
        mentions: [...item.mentions],
        metadata: null,
        editedAt: null,
        deletedAt: null,
        reactions: {},
      });
      remove(id);
    } catch (error) {
      if (isClosed || (error instanceof HubError && error.code === 'closed')) return;
      if (!(error instanceof HubError) || !retryableCodes.has(error.code) || tries >= retriesMax) {
        return change(id, { state: 'failed', error: errorMessage(error) });
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
        id: newId(),
        state: 'sending',
        error: null,
        isShown: false,
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
    /** Takes a message of this agent that arrived as an event. */
    onOwnMessage({ channelId, threadId, content }: Message) {
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
    /** Sends what was left before a reload. */
    resume() {
      for (const item of items.peek()) if (item.state === 'sending') void deliver(item);
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
