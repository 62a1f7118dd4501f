import type { Envelope, Message } from '@openclaw/protocol';
import { messageDeltaEvent, type MessageDeltaPayload } from '@openclaw/protocol/wire';
import { HubError, retryPauseMs } from './errors.ts';

/** A message with a missing part is read at most this often. */
const readEveryMs = 1_000;
/**
 * At most `messagesMax` messages are followed. Beyond that, the oldest one is forgotten. For one message, the kept
 * deltas have at most `keptMax` UTF-16 code units in all.
 */
const messagesMax = 200;
const keptMax = 65_536;

interface Growing {
  message: Message;
  /** Deltas that begin beyond the known text. */
  kept: MessageDeltaPayload[];
  keptLength: number;
  readMs: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Passes each growing message to `listener` with its text so far, and once more when the message ends. `read` loads a
 * message.
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

  /** A followed message that no longer grows is passed on once more, and then forgotten. */
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

  /** Keeps a delta that begins beyond the known text. Returns true if the text has grown. */
  function add(entry: Growing, delta: MessageDeltaPayload): boolean {
    const { content } = entry.message;
    const { from, text } = delta;
    if (from <= content.length) {
      if (from + text.length <= content.length) return false;
      const grown = content + text.slice(content.length - from);
      entry.message = { ...entry.message, content: grown };
      return true;
    }
    // Beyond the limit, the delta is dropped: the next read of the message has the delta's text.
    if (entry.keptLength + text.length <= keptMax) {
      entry.kept.push(delta);
      entry.keptLength += text.length;
    }
    return false;
  }

  function extend(entry: Growing, delta: MessageDeltaPayload): void {
    const hasGrown = add(entry, delta);
    if (hasGrown && entry.kept.length > 0) {
      const { kept } = entry;
      entry.kept = [];
      entry.keptLength = 0;
      for (const next of kept.sort((one, other) => one.from - other.from)) add(entry, next);
    }
    if (hasGrown) listener(entry.message);
    if (delta.from > entry.message.content.length || entry.kept.length > 0) readLater(entry);
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
