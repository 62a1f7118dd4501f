import { createSequencer, type EventBus, type EventSource, type Sequencer } from '@openclaw/events';
import type { ChatStore } from '@openclaw/chat-store';
import { isDirectChannelId, type EncodedEnvelope } from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { Flusher } from './flusher.ts';
import { Room } from './room.ts';

/** The live channels of this hub. */
export interface Rooms {
  /** The live room of a channel, or undefined. */
  get(channelId: string): Room | undefined;
  readonly size: number;
  all(): Iterable<Room>;
  /**
   * The room, opened if need be: its topic is subscribed first and its head read after, so that nothing falls between.
   * Rejects with ChatStoreError when the head cannot be read. Whoever then does not enter it says so by `left`.
   */
  open(channelId: string): Promise<Room>;
  /** A direct channel's room: its events come by its members' agent topics, and its head is known. */
  openDirect(channelId: string, head: number): Room;
  /** To be called when a socket left; a room that stays empty is closed after a while. */
  left(room: Room): void;
  close(): Promise<void>;
}

export interface RoomsDeps {
  readonly store: ChatStore;
  readonly bus: EventBus;
  readonly flusher: Flusher;
  readonly log: Logger;
  /** This hub begins to follow a channel, having missed what came before. */
  readonly onOpened: (channelId: string) => void;
  /** Told of each event as it is delivered; `store`: the bus had not brought it. */
  readonly onDelivered: (event: EncodedEnvelope, source: EventSource) => void;
  /** Told of an ephemeral event of a channel. */
  readonly onEphemeral: (room: Room, event: EncodedEnvelope) => void;
  /** Told that an event of another epoch came. */
  readonly onForeignEpoch: (event: EncodedEnvelope) => void;
}

/** How long an empty room keeps its place, so that reconnecting clients resume from memory. */
const idleMs = 30_000;
const maxFetchBytes = 8 * 1_048_576;

/** Creates the table of live channels. */
export function createRooms(deps: RoomsDeps): Rooms {
  const { store, bus, flusher, log } = deps;
  const rooms = new Map<
    string,
    { room: Room; unsubscribe: () => Promise<void>; idle?: NodeJS.Timeout }
  >();
  const opening = new Map<string, Promise<Room>>();
  let isClosed = false;

  const fetchFrom = (channelId: string) => async (after: number, limit: number) => {
    const { events } = await store.logPage(channelId, after, limit, maxFetchBytes);
    return events;
  };

  function createRoom(channelId: string, head: number, unsubscribe: () => Promise<void>): Room {
    const sequencer = (deliver: (event: EncodedEnvelope) => void): Sequencer =>
      createSequencer({
        channelId,
        epoch: store.epoch,
        head,
        deliver(event, source) {
          deps.onDelivered(event, source);
          deliver(event);
        },
        fetch: fetchFrom(channelId),
        onForeignEpoch: deps.onForeignEpoch,
        onError: (error) =>
          log.warn({ err: error, channelId }, 'an event could not be delivered yet'),
      });
    const room = new Room(channelId, head, flusher, sequencer);
    deps.onOpened(channelId);
    rooms.set(channelId, { room, unsubscribe });
    return room;
  }

  async function openChannel(channelId: string): Promise<Room> {
    if (isDirectChannelId(channelId)) {
      const { head } = await store.logPage(channelId, Number.MAX_SAFE_INTEGER, 1, 1);
      return rooms.get(channelId)?.room ?? createRoom(channelId, head, () => Promise.resolve());
    }
    // Events that arrive before the head is known wait here; the sequencer sorts out which are old.
    let early: EncodedEnvelope[] | null = [];
    let room: Room | undefined;
    const unsubscribe = await bus.subscribeChannel(channelId, (event) => {
      if (early) {
        if (early.length < 1_000) early.push(event);
      } else if (room) {
        if (event.seq === null) deps.onEphemeral(room, event);
        else room.offer(event);
      }
    });
    try {
      const { head } = await store.logPage(channelId, Number.MAX_SAFE_INTEGER, 1, 1);
      room = createRoom(channelId, head, unsubscribe);
    } catch (error) {
      await unsubscribe();
      throw error;
    }
    const waiting = early;
    early = null;
    for (const event of waiting) if (event.seq !== null) room.offer(event);
    return room;
  }

  function closeRoom(channelId: string): Promise<void> {
    const entry = rooms.get(channelId);
    if (!entry) return Promise.resolve();
    rooms.delete(channelId);
    clearTimeout(entry.idle);
    entry.room.close();
    return entry.unsubscribe().catch((error: unknown) => {
      log.warn({ err: error, channelId }, 'a topic could not be unsubscribed');
    });
  }

  return {
    get: (channelId) => rooms.get(channelId)?.room,
    get size() {
      return rooms.size;
    },
    *all() {
      for (const { room } of rooms.values()) yield room;
    },
    async open(channelId) {
      const entry = rooms.get(channelId);
      if (entry) {
        clearTimeout(entry.idle);
        return entry.room;
      }
      let promise = opening.get(channelId);
      if (!promise) {
        promise = openChannel(channelId).finally(() => opening.delete(channelId));
        opening.set(channelId, promise);
      }
      return promise;
    },
    openDirect: (channelId, head) =>
      rooms.get(channelId)?.room ?? createRoom(channelId, head, () => Promise.resolve()),
    left(room) {
      const entry = rooms.get(room.channelId);
      if (!entry || entry.room !== room || room.members.size > 0 || isClosed) return;
      clearTimeout(entry.idle);
      entry.idle = setTimeout(() => {
        if (room.members.size === 0) void closeRoom(room.channelId);
      }, idleMs);
      entry.idle.unref();
    },
    async close() {
      isClosed = true;
      await Promise.all([...rooms.keys()].map(closeRoom));
    },
  };
}
