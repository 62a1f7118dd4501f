import type { ChatStore, StreamPiece } from '@openclaw/chat-store';
import {
  decodeEnvelope,
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

/**
 * A message has at most one delta in this time. A token waits at most 200 ms: for the client's
 * append (50 ms), this time, and a tick. The envelope of a delta is twenty times as long as its
 * text, so a shorter time would cost watchers more bytes.
 */
const deltaEveryMs = 125;
/** New text is checkpointed after this time. With {@link tickMs} added, this is within a second. */
const checkpointAfterMs = 900;
/** New text of this many bytes is checkpointed at once. */
const checkpointBytes = 4_096;
/** How often due deltas and checkpoints are looked for, while there is new text. */
const tickMs = 25;
const retryMs = 500;
/** The most messages of one checkpoint, and the most bytes beyond its first message. */
const checkpointMessages = 64;
const checkpointMaxBytes = 262_144;
/** A text to which nothing was appended for this long is forgotten; the next append reads it again. */
const forgetAfterMs = 60_000;

/** The most memory of the texts of one agent, and of the hub. */
export interface StreamBudget {
  readonly agentBytes: number;
  readonly hubBytes: number;
}

const streamBudget: StreamBudget = {
  // All streams of an agent at their largest size, and as many again that have just ended on other
  // hubs.
  agentBytes: 4 * limits.streams * limits.contentBytes,
  hubBytes: 64 * 1_048_576,
};
const entryBytes = 512;

interface Growing {
  readonly channelId: string;
  readonly messageId: string;
  readonly agentId: string;
  text: string;
  bytes: number;
  /** The length of the text in the database, and the length that watchers have. */
  savedLength: number;
  sentLength: number;
  sentMs: number;
  /** The arrival of the oldest text that is not in the database. */
  unsavedSinceMs: number;
  usedMs: number;
}

export interface StreamsDeps {
  readonly store: Pick<ChatStore, 'checkpointStreams' | 'readStream'>;
  readonly publisher: Pick<Publisher, 'publishEphemeral'>;
  readonly rooms: Pick<Rooms, 'get' | 'open' | 'left'>;
  readonly log: Logger;
  /** @default 1 MiB an agent, 64 MiB in all */
  readonly budget?: StreamBudget;
  /** @default performance.now */
  readonly clock?: () => number;
}

/**
 * The growing messages whose authors append through this hub. Their texts are in memory; new text
 * is published as deltas, and checkpointed. When an author appends through another hub, that hub
 * reads the text as it was last checkpointed.
 */
export function createStreams(deps: StreamsDeps) {
  const { store, publisher, rooms, log, budget = streamBudget } = deps;
  const { clock = () => performance.now() } = deps;
  /** By use, the least recently used first. */
  const growing = new Map<string, Growing>();
  const loading = new Map<string, Promise<Growing | Refusal>>();
  /** Messages with text that is not yet published or not yet checkpointed. */
  const unsent = new Set<Growing>();
  const unsaved = new Set<Growing>();
  const watched = new Map<string, () => void>();
  const opening = new Set<string>();
  const bytesOf = new Map<string, number>();
  let hubBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let saving: Promise<void> | null = null;
  let savesAgainMs = -Infinity;

  // V8 stores a string with up to two bytes per code unit.
  const costOf = ({ text }: Growing) => entryBytes + 2 * text.length;

  function count(agentId: string, bytes: number): void {
    hubBytes += bytes;
    const ofAgent = (bytesOf.get(agentId) ?? 0) + bytes;
    if (ofAgent <= 0) bytesOf.delete(agentId);
    else bytesOf.set(agentId, ofAgent);
  }

  function drop(stream: Growing): void {
    if (growing.get(stream.messageId) !== stream) return;
    growing.delete(stream.messageId);
    unsent.delete(stream);
    unsaved.delete(stream);
    count(stream.agentId, -costOf(stream));
  }

  /**
   * Makes room for more bytes by forgetting texts that are in the database. Returns false when that
   * does not free enough.
   */
  function hasRoom(agentId: string, bytes: number): boolean {
    const isOver = () =>
      hubBytes + bytes > budget.hubBytes || (bytesOf.get(agentId) ?? 0) + bytes > budget.agentBytes;
    if (!isOver()) return true;
    for (const stream of growing.values()) {
      const isOwn = stream.agentId === agentId;
      if ((!isOwn && hubBytes + bytes <= budget.hubBytes) || unsaved.has(stream)) continue;
      drop(stream);
      if (!isOver()) return true;
    }
    return false;
  }

  const refuseFull = () =>
    refuse('rate_limited', 'too much text of growing messages is in memory', 1_000);

  async function load(
    identity: Identity,
    channelId: string,
    messageId: string,
  ): Promise<Growing | Refusal> {
    const read = await store.readStream(identity, channelId, messageId);
    if (!read.ok) return read;
    const { text } = read;
    const { agentId } = identity;
    const nowMs = clock();
    const stream: Growing = {
      ...{ channelId, messageId, agentId, text },
      bytes: utf8Bytes(text),
      ...{ savedLength: text.length, sentLength: text.length, sentMs: -Infinity },
      ...{ unsavedSinceMs: Infinity, usedMs: nowMs },
    };
    if (!hasRoom(agentId, costOf(stream))) return refuseFull();
    growing.set(messageId, stream);
    count(agentId, costOf(stream));
    return stream;
  }

  /**
   * The caller's message in memory. If it is not there, it is read from the database, with a check
   * of the caller's rights.
   */
  function find(
    identity: Identity,
    channelId: string,
    messageId: string,
  ): Growing | Promise<Growing | Refusal> {
    const { agentId } = identity;
    const known = growing.get(messageId);
    if (known?.agentId === agentId && known.channelId === channelId) return known;
    const key = `${agentId}:${channelId}:${messageId}`;
    let promise = loading.get(key);
    if (!promise) {
      promise = load(identity, channelId, messageId).finally(() => loading.delete(key));
      loading.set(key, promise);
    }
    return promise;
  }

  /** This may fail: without a room, the next checkpoint finds out what the log says. */
  function openRoom(channelId: string): void {
    if (opening.has(channelId)) return;
    opening.add(channelId);
    rooms
      .open(channelId)
      .then(() => {
        if ([...growing.values()].some((stream) => stream.channelId === channelId))
          watch(channelId);
      })
      .catch((error: unknown) => log.debug({ err: error, channelId }, 'a channel is not followed'))
      .finally(() => opening.delete(channelId));
  }

  /**
   * Follows the channel's log, so that a message is forgotten at once when another agent, a freeze
   * or another hub has ended it.
   */
  function watch(channelId: string): void {
    if (watched.has(channelId)) return;
    const room = rooms.get(channelId);
    if (!room) return openRoom(channelId);
    const stop = room.watch((seq) => {
      const event = seq === null ? null : room.after(seq - 1)?.[0];
      if (!event || event.type === 'channel.delete') return forgetChannel(channelId);
      if (event.type !== 'channel.message.edit' && event.type !== 'channel.message.delete') return;
      const decoded = decodeEnvelope(event.json)?.envelope.event;
      const ended = decoded && 'message' in decoded ? growing.get(decoded.message.id) : undefined;
      if (ended) drop(ended);
    });
    watched.set(channelId, () => {
      stop();
      rooms.left(room);
    });
  }

  function unwatch(channelId: string): void {
    watched.get(channelId)?.();
    watched.delete(channelId);
  }

  function forgetChannel(channelId: string): void {
    unwatch(channelId);
    for (const stream of [...growing.values()]) if (stream.channelId === channelId) drop(stream);
  }

  function sendDelta(stream: Growing, nowMs: number): void {
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

  function isDue(stream: Growing, nowMs: number): boolean {
    if (nowMs - stream.unsavedSinceMs >= checkpointAfterMs) return true;
    // A text has at most as many code units as bytes, so most texts need no exact count.
    const length = stream.text.length - stream.savedLength;
    return 3 * length >= checkpointBytes && utf8Bytes(pendingText(stream)) >= checkpointBytes;
  }

  const pendingText = ({ text, savedLength }: Growing) => text.slice(savedLength);

  async function save(streams: readonly Growing[]): Promise<void> {
    const pieces: StreamPiece[] = streams.map((stream) => ({
      channelId: stream.channelId,
      messageId: stream.messageId,
      from: stream.savedLength,
      text: pendingText(stream),
    }));
    for (const stream of streams) {
      stream.unsavedSinceMs = clock();
    }
    try {
      const saved = await store.checkpointStreams(pieces);
      saved.forEach(({ length }, at) => {
        const stream = streams[at];
        if (!stream) return;
        // The message has ended, or its author continued through another hub. The next append reads
        // the text again.
        if (length === null || length > stream.text.length) return drop(stream);
        stream.savedLength = Math.max(stream.savedLength, length);
        if (stream.savedLength === stream.text.length) unsaved.delete(stream);
      });
    } catch (error) {
      savesAgainMs = clock() + retryMs;
      for (const stream of streams) stream.unsavedSinceMs = -Infinity;
      log.debug({ err: error }, 'growing messages were not checkpointed yet');
    }
  }

  /**
   * Checkpoints some messages that are due, unless a checkpoint is running. With `all`, also
   * messages that are not due.
   */
  function saveDue(all = false): void {
    const nowMs = clock();
    if (saving || nowMs < savesAgainMs) return;
    const due: Growing[] = [];
    let bytes = 0;
    for (const stream of unsaved) {
      if (!all && !isDue(stream, nowMs)) continue;
      due.push(stream);
      bytes += 3 * (stream.text.length - stream.savedLength);
      if (due.length === checkpointMessages || bytes > checkpointMaxBytes) break;
    }
    if (due.length > 0) saving = save(due).finally(() => (saving = null));
  }

  function forgetIdle(nowMs: number): void {
    for (const stream of growing.values()) {
      if (nowMs - stream.usedMs < forgetAfterMs) break;
      if (!unsaved.has(stream)) drop(stream);
    }
    if (growing.size > 0) return;
    for (const channelId of [...watched.keys()]) unwatch(channelId);
    clearInterval(timer);
    timer = undefined;
  }

  function tick(): void {
    const nowMs = clock();
    for (const stream of unsent)
      if (nowMs - stream.sentMs >= deltaEveryMs) sendDelta(stream, nowMs);
    saveDue();
    forgetIdle(nowMs);
  }

  function grow(stream: Growing, more: string): Refusal | null {
    const added = more.length;
    if (added === 0) return null;
    const addedBytes = utf8Bytes(more);
    if (stream.bytes + addedBytes > limits.contentBytes)
      return refuse('too_large', `content is limited to ${limits.contentBytes} bytes of UTF-8`);
    if (!hasRoom(stream.agentId, 2 * added)) return refuseFull();
    count(stream.agentId, 2 * added);
    stream.text += more;
    stream.bytes += addedBytes;
    const nowMs = clock();
    if (!unsaved.has(stream)) stream.unsavedSinceMs = nowMs;
    unsaved.add(stream);
    unsent.add(stream);
    if (nowMs - stream.sentMs >= deltaEveryMs) sendDelta(stream, nowMs);
    return null;
  }

  return {
    /** Appends to the caller's message. Resolves before the text is checkpointed. */
    async append(
      identity: Identity,
      { channelId, messageId, from, text }: ParamsOf<'message.append'>,
    ): Promise<{ readonly ok: true; readonly result: ResultOf<'message.append'> } | Refusal> {
      const found = find(identity, channelId, messageId);
      const stream = found instanceof Promise ? await found : found;
      if ('ok' in stream) return stream;
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
      growing.delete(messageId);
      growing.set(messageId, stream);
      stream.usedMs = clock();
      watch(channelId);
      timer ??= setInterval(tick, tickMs).unref();
      return { ok: true, result: { length: stream.text.length } };
    },
    /**
     * The text of the caller's message that is not checkpointed, for the call that ends the
     * message; null when there is none.
     */
    unsavedOf({ agentId }: Identity, messageId: string): StreamPiece | null {
      const stream = growing.get(messageId);
      if (stream?.agentId !== agentId || !unsaved.has(stream)) return null;
      const { channelId, savedLength: from } = stream;
      return { channelId, messageId, from, text: pendingText(stream) };
    },
    ended({ agentId }: Identity, messageId: string): void {
      const stream = growing.get(messageId);
      if (stream?.agentId === agentId) drop(stream);
    },
    get bytes() {
      return hubBytes;
    },
    /** Checkpoints what is in memory. Never rejects. */
    async close(): Promise<void> {
      clearInterval(timer);
      await saving;
      savesAgainMs = -Infinity;
      for (let left = unsaved.size; left > 0 && unsaved.size > 0; left -= 1) {
        saveDue(true);
        await saving;
        if (clock() < savesAgainMs) break;
      }
      for (const channelId of [...watched.keys()]) unwatch(channelId);
    },
  };
}

export type Streams = ReturnType<typeof createStreams>;
