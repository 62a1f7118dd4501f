import type { ChatStore, StreamPiece } from '@openclaw/chat-store';
import {
  limits,
  messageDeltaEvent,
  refuse,
  refuseWith,
  utf8Bytes,
  type ParamsOf,
  type Refusal,
  type ResultOf,
} from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { Publisher } from '../channels/publisher.ts';
import type { Rooms } from '../channels/rooms.ts';
import type { Identity } from '../edge/identity.ts';
import { createCheckpoints, pieceOf } from './checkpoints.ts';
import { createFollowedLogs } from './followed-logs.ts';
import { createStreamTexts, type StreamBudget, type StreamText } from './stream-texts.ts';

/**
 * A message has at most one delta in this time. A token of a model reaches watchers after at most 200 ms: the client's
 * append (50 ms), this time, and a tick. A shorter time would cost watchers more bytes, because a delta's envelope is
 * twenty times as long as its text.
 */
const deltaEveryMs = 125;
/** The hub looks for due deltas and checkpoints at this interval, while there is new text. */
const tickMs = 25;
/** A text to which nothing was appended for this long is forgotten; the next append reads it again. */
const forgetAfterMs = 60_000;

export interface StreamsDeps {
  readonly store: Pick<ChatStore, 'checkpointStreams' | 'readStream'>;
  readonly publisher: Pick<Publisher, 'publishEphemeral'>;
  readonly rooms: Pick<Rooms, 'get' | 'open' | 'left'>;
  readonly log: Logger;
  readonly budget?: StreamBudget;
  readonly clock?: () => number;
}

/**
 * Keeps the growing messages whose authors append through this hub. New text is published as deltas, and
 * checkpointed. When an author appends through another hub, that hub reads the text as it was last checkpointed.
 */
export function createStreams(deps: StreamsDeps) {
  const { store, publisher, rooms, log, budget } = deps;
  const { clock = () => performance.now() } = deps;
  const loading = new Map<string, Promise<StreamText | Refusal>>();
  const unsent = new Set<StreamText>();
  let timer: NodeJS.Timeout | undefined;

  const texts = createStreamTexts(budget, (text) => {
    unsent.delete(text);
    checkpoints.forget(text);
    if (!texts.hasChannel(text.channelId)) followedLogs.release(text.channelId);
  });
  const checkpoints = createCheckpoints({ store, onOutdated: texts.drop, log, clock });
  const followedLogs = createFollowedLogs({
    rooms,
    log,
    isNeeded: texts.hasChannel,
    onEnded(messageId) {
      const ended = texts.get(messageId);
      if (ended) texts.drop(ended);
    },
    onAllEnded: dropChannel,
    // A freeze stops agents only.
    onFrozen: (channelId) => dropChannel(channelId, ({ kind }) => kind === 'agent'),
  });

  function dropChannel(channelId: string, isEnded: (text: StreamText) => boolean = () => true) {
    for (const text of [...texts.ofChannel(channelId)].filter(isEnded)) texts.drop(text);
  }

  const refuseFull = () =>
    refuse('rate_limited', 'too much text of growing messages is in memory', 1_000);

  async function load(
    identity: Identity,
    channelId: string,
    messageId: string,
  ): Promise<StreamText | Refusal> {
    const read = await store.readStream(identity, channelId, messageId);
    if (!read.ok) return read;
    const { text } = read;
    const loaded: StreamText = {
      ...{ channelId, messageId, agentId: identity.agentId, kind: identity.kind, text },
      bytes: utf8Bytes(text),
      ...{ savedLength: text.length, sentLength: text.length, sentMs: -Infinity },
      ...{ unsavedSinceMs: Infinity, usedMs: clock() },
    };
    return texts.add(loaded) ? loaded : refuseFull();
  }

  /** A message that is not in memory is read from the database, with a check of the caller's rights. */
  function find(
    identity: Identity,
    channelId: string,
    messageId: string,
  ): StreamText | Promise<StreamText | Refusal> {
    const { agentId } = identity;
    const known = texts.get(messageId);
    if (known?.agentId === agentId && known.channelId === channelId) return known;
    const key = `${agentId}:${channelId}:${messageId}`;
    let promise = loading.get(key);
    if (!promise) {
      promise = load(identity, channelId, messageId).finally(() => loading.delete(key));
      loading.set(key, promise);
    }
    return promise;
  }

  function sendDelta(stream: StreamText, nowMs: number): void {
    const { channelId, messageId, agentId, sentLength: from, text } = stream;
    stream.sentLength = text.length;
    stream.sentMs = nowMs;
    unsent.delete(stream);
    publisher.publishEphemeral(
      {
        type: 'collaboration.event',
        channelId,
        name: messageDeltaEvent,
        payload: { messageId, from, text: text.slice(from) },
      },
      agentId,
    );
  }

  function forgetIdle(nowMs: number): void {
    for (const text of texts.values()) {
      if (nowMs - text.usedMs < forgetAfterMs) break;
      if (text.savedLength === text.text.length) texts.drop(text);
    }
    if (texts.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  function tick(): void {
    const nowMs = clock();
    for (const stream of unsent)
      if (nowMs - stream.sentMs >= deltaEveryMs) sendDelta(stream, nowMs);
    checkpoints.saveDue();
    forgetIdle(nowMs);
  }

  function grow(stream: StreamText, more: string): Refusal | null {
    if (more.length === 0) return null;
    if (stream.bytes + utf8Bytes(more) > limits.contentBytes)
      return refuse('too_large', `content is limited to ${limits.contentBytes} bytes of UTF-8`);
    if (!texts.extend(stream, more)) return refuseFull();
    const nowMs = clock();
    checkpoints.grown(stream);
    unsent.add(stream);
    if (nowMs - stream.sentMs >= deltaEveryMs) sendDelta(stream, nowMs);
    return null;
  }

  return {
    /** Resolves before the text is checkpointed. */
    async append(
      identity: Identity,
      { channelId, messageId, from, text }: ParamsOf<'message.append'>,
    ): Promise<{ readonly ok: true; readonly result: ResultOf<'message.append'> } | Refusal> {
      let stream = find(identity, channelId, messageId);
      while (stream instanceof Promise) {
        const loaded = await stream;
        if ('ok' in loaded) return loaded;
        // While several calls wait, one of them may drop this text from the memory to load its own.
        stream = texts.has(loaded) ? loaded : find(identity, channelId, messageId);
      }
      followedLogs.follow(channelId);
      timer ??= setInterval(tick, tickMs).unref();
      const { length } = stream.text;
      const overlap = Math.min(length - from, text.length);
      const isEqual =
        overlap >= 0 && stream.text.slice(from, from + overlap) === text.slice(0, overlap);
      if (!isEqual) {
        const message = `the text has ${length} code units, and does not continue so`;
        return refuseWith('conflict', message, { length, state: 'streaming' });
      }
      const refusal = grow(stream, text.slice(overlap));
      if (refusal) return refusal;
      texts.use(stream, clock());
      return { ok: true, result: { length: stream.text.length } };
    },
    /** Returns the text that is not checkpointed yet, for the call that ends the message; null if there is none. */
    unsavedOf({ agentId }: Identity, messageId: string): StreamPiece | null {
      const text = texts.get(messageId);
      if (text?.agentId !== agentId || text.savedLength === text.text.length) return null;
      return pieceOf(text);
    },
    ended({ agentId }: Identity, messageId: string): void {
      const text = texts.get(messageId);
      if (text?.agentId === agentId) texts.drop(text);
    },
    get bytes() {
      return texts.bytes;
    },
    /** Checkpoints what is in memory. Never rejects. */
    async close(): Promise<void> {
      clearInterval(timer);
      await checkpoints.close();
      followedLogs.close();
    },
  };
}

export type Streams = ReturnType<typeof createStreams>;
