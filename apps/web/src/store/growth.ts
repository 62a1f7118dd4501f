import { signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { HubClient } from '@openclaw/client';
import type { Message } from '@openclaw/protocol';
import type { Chat } from './chat.ts';
import { createTimers } from './timers.ts';

const messagesMax = 200;
/** The hub stores the text of a growing message within a second. */
const storedAfterMs = 1_200;

interface Growing {
  message: Message;
  readonly text: Signal<string>;
}

interface Followed {
  readonly texts: Map<string, Growing>;
  stop: () => void;
}

/** Each growing message has a signal of its own, so that only its row is drawn again. */
export function createGrowth(client: Pick<HubClient, 'channel'>) {
  const followed = new Map<Chat, Followed>();
  const reads = createTimers<Growing>();

  /** Starts a new watch, which includes the messages that are known so far. */
  function watch(chat: Chat, channel: Followed) {
    channel.stop();
    const known = [...channel.texts.values()].map(({ message }) => message);
    channel.stop = client
      .channel(chat.id)
      .watchStreams((message) => take(channel.texts, message), known);
  }

  function take(texts: Followed['texts'], message: Message) {
    const known = texts.get(message.id);
    if (known === undefined) {
      if (isGrowing(message)) add(texts, message);
      return;
    }
    known.message = message;
    known.text.value = message.content;
    // The signal keeps the whole text until the row is drawn with the finished message.
    if (!isGrowing(message)) texts.delete(message.id);
  }

  function add(texts: Followed['texts'], message: Message): Growing {
    const growing = { message, text: signal(message.content) };
    texts.set(message.id, growing);
    const [oldest] = texts.keys();
    if (texts.size > messagesMax && oldest !== undefined) texts.delete(oldest);
    return growing;
  }

  function start(chat: Chat): Followed {
    const known = followed.get(chat);
    if (known !== undefined) return known;
    const channel: Followed = { texts: new Map<string, Growing>(), stop: () => undefined };
    followed.set(chat, channel);
    watch(chat, channel);
    return channel;
  }

  /** No event brings the text that was appended before the channel was followed, so this reads the message. */
  async function read(chat: Chat, channel: Followed, growing: Growing) {
    const { id } = growing.message;
    try {
      const { message } = await client.channel(chat.id).message(id);
      const isKnown = followed.get(chat) === channel && channel.texts.get(id) === growing;
      const isBehind = message.content.length > growing.message.content.length;
      if (!isKnown || !(isBehind || !isGrowing(message))) return;
      take(channel.texts, message);
      watch(chat, channel);
    } catch {
      // The next event of the message leads to another read.
    }
  }

  return {
    start: (chat: Chat) => void start(chat),
    follow(chat: Chat, message: Message): ReadonlySignal<string> {
      const channel = start(chat);
      const known = channel.texts.get(message.id);
      if (known !== undefined) return known.text;
      const growing = add(channel.texts, message);
      watch(chat, channel);
      reads.start(growing, storedAfterMs, () => void read(chat, channel, growing));
      return growing.text;
    },
    forget(chat: Chat) {
      followed.get(chat)?.stop();
      followed.delete(chat);
    },
    close() {
      reads.close();
      for (const { stop } of followed.values()) stop();
      followed.clear();
    },
  };
}

const isGrowing = ({ state, deletedAt }: Message) => state === 'streaming' && deletedAt === null;
