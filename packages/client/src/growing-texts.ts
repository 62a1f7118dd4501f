import type { Envelope, Message } from '@openclaw/protocol';
import { messageDeltaEvent, type MessageDeltaPayload } from '@openclaw/protocol/wire';
import { HubError, retryPauseMs } from './errors.ts';

/** A message is read at most this often when a part of its text is missing. */
const readEveryMs = 1_000;
/** The most messages that are followed, the oldest are forgotten first; and the most code units of deltas kept for one. */
const messagesMax = 200;
const keptMax = 65_536;

interface Growing {
  message: Message;
  /** Deltas beyond the known text. */
  kept: MessageDeltaPayload[];
  keptLength: number;
  readMs: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Follows messages that grow: passes each to `listener` with its text so far, and once more when it has ended. `read`
 * gets a message's present text.
 */
export function createGrowingTexts(
  listener: (message: Message) => void,
  read: (messageId: string) => Promise<Message>,
) {
  const growing = new Map<string, Growing>();
  let isClosed = false;

  function forget(messageId: string): void {
    clearTimeout(growing.get(messageId)?.timer);
    growing.delete(messageId);
  }

  /** Begins with a message; one that does not grow is passed on as ended. */
  function take(message: Message): void {
    const known = growing.get(message.id);
    if (message.state !== 'streaming' || message.deletedAt !== null) {
      if (known === undefined) return;
      forget(message.id);
      return listener(message);
    }
    if (known !== undefined)
      return extend(known, { messageId: '', from: 0, text: message.content });
    growing.set(message.id, {
      message,
      ...{ kept: [], keptLength: 0, readMs: -Infinity, timer: undefined },
    });
    const [oldest] = growing.keys();
    if (growing.size > messagesMax && oldest !== undefined) forget(oldest);
    listener(message);
  }

  function extend(entry: Growing, delta: MessageDeltaPayload): void {
    const { content } = entry.message;
    if (delta.from > content.length) {
      // Beyond the limit the deltas are of no use: the message is read, and shows them later.
      if (entry.keptLength + delta.text.length <= keptMax) {
        entry.kept.push(delta);
        entry.keptLength += delta.text.length;
      }
      return readLater(entry);
    }
    if (delta.from + delta.text.length <= content.length) return;
    entry.message = {
      ...entry.message,
      content: content + delta.text.slice(content.length - delta.from),
    };
    const { kept } = entry;
    entry.kept = [];
    entry.keptLength = 0;
    if (kept.length === 0) return listener(entry.message);
    for (const next of kept.sort((one, other) => one.from - other.from)) extend(entry, next);
    if (entry.kept.length > 0) listener(entry.message);
  }

  function readLater(entry: Growing): void {
    if (entry.timer !== undefined) return;
    const waitMs = Math.max(0, entry.readMs + readEveryMs - Date.now());
    entry.timer = setTimeout(() => {
      entry.readMs = Date.now();
      read(entry.message.id)
        .then(
          (message) => {
            entry.timer = undefined;
            if (growing.get(message.id) !== entry) return;
            take(message);
            if (entry.kept.length > 0) readLater(entry);
          },
          (error: unknown) => {
            entry.timer = undefined;
            if (growing.get(entry.message.id) !== entry) return;
            const isGone = error instanceof HubError && retryPauseMs(error) === null;
            if (isGone) forget(entry.message.id);
            else readLater(entry);
          },
        )
        .catch(() => undefined);
    }, waitMs);
  }

  return {
    take,
    onEvent({ event }: Envelope): void {
      if (isClosed) return;
      if ('message' in event) return take(event.message);
      if (event.type !== 'collaboration.event' || event.name !== messageDeltaEvent) return;
      const delta = event.payload as unknown as MessageDeltaPayload;
      const entry = growing.get(delta.messageId);
      if (entry !== undefined) extend(entry, delta);
    },
    close(): void {
      isClosed = true;
      for (const messageId of [...growing.keys()]) forget(messageId);
    },
  };
}
