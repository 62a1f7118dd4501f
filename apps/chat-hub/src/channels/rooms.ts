import { createSequencer, type EventBus, type SequencerTotals } from '@openclaw/events';
import { ChatStoreError, type ChatStore, type LogPage } from '@openclaw/chat-store';
import { isDirectChannelId, type EncodedEnvelope } from '@openclaw/protocol';
import type { Logger } from 'pino';
import { createRingBudget, pageEvents, type RingBudget } from './backlog.ts';
import { readDeparted } from './departures.ts';
import type { Flusher } from './flusher.ts';
import { createCacheDropper, type HubCache } from './hub-cache.ts';
import { Room } from './room.ts';

type RoomStart = Pick<LogPage, 'head' | 'epoch'> & Partial<Pick<LogPage, 'floor'>>;

interface Entry {
  readonly room: Room;
  readonly unsubscribe: () => Promise<void>;
  idle?: NodeJS.Timeout;
}

/** Empty rooms stay open for this time, so that reconnecting clients resume from memory. */
const idleMs = 30_000;
/** The most bytes of one page, so that parsing never blocks the event loop for long. */
const maxPageBytes = 1_048_576;
/** A read is repeated if the epoch changed during it. There are at most this many reads in all. */
const maxReads = 5;
const roomsPerTurn = 50;
/**
 * While a room's head is unknown, at most this many events and characters wait in memory. The room reads further events
 * from the log.
 */
const maxEarly = 1_000;
const maxEarlyChars = 1_048_576;

export function createRooms(deps: {
  readonly store: ChatStore;
  readonly bus: EventBus;
  readonly flusher: Flusher;
  /** @default a budget of 64 MiB for all rooms */
  readonly ringBudget?: RingBudget;
  readonly log: Logger;
  readonly cache: Pick<HubCache, 'forget' | 'invalidateFor' | 'drop'>;
  readonly onEphemeral: (room: Room, event: EncodedEnvelope) => void;
  readonly onForeignEpoch: (event: EncodedEnvelope) => void;
  readonly onJoined?: (room: Room, agentId: string) => void;
  /**
   * Called when two events have the same seq and one of them, `delivered`, was already delivered. The store decides
   * which of the two is right.
   */
  readonly onSeqConflict?: (delivered: EncodedEnvelope) => void;
}) {
  const { store, bus, flusher, cache, log, ringBudget = createRingBudget() } = deps;
  const dropCaches = createCacheDropper(cache, log);
  const rooms = new Map<string, Entry>();
  const opening = new Map<string, Promise<Room>>();
  const totals: SequencerTotals = { holes: 0, repaired: 0, duplicates: 0 };
  let epochGeneration = 0;
  /**
   * Rooms that are still in an earlier epoch. The number is the head from which the room continues in the new epoch.
   */
  const outdated = new Map<string, number>();
  let onEpochChanged: ((room: Room) => void) | undefined;
  let isClosed = false;

  function createRoom(
    channelId: string,
    { head, epoch, floor }: RoomStart,
    unsubscribe: () => Promise<void>,
  ): Room {
    // The first sequencer continues in the epoch in which the head was read. Later sequencers begin in the store's
    // current epoch.
    let firstEpoch: string | null = epoch;
    const room = new Room(channelId, head, {
      flusher,
      ringBudget,
      onJoined: (agentId) => deps.onJoined?.(room, agentId),
      async readLog(after) {
        const limit = pageEvents - (after % pageEvents);
        const generation = epochGeneration;
        const page = await store.logPage(channelId, after, limit, maxPageBytes);
        if (epochGeneration === generation) {
          rooms.get(channelId)?.room.update({ floor: page.floor });
        }
        return page.events;
      },
      createSequencer(from, deliver) {
        const sequencerEpoch = firstEpoch ?? store.epoch;
        firstEpoch = null;
        return createSequencer({
          channelId,
          epoch: sequencerEpoch,
          head: from,
          totals,
          deliver(event, source) {
            cache.invalidateFor(event.type, channelId, event.seq);
            // If the publish of an event failed, this hub reads the event from the log. The sender's hub may then not
            // have invalidated the caches, so this hub does.
            if (source === 'store' && event.seq !== null) dropCaches(channelId, event.seq);
            deliver(event);
          },
          fetch: (after, limit) => fetchAfter(channelId, after, limit),
          onForeignEpoch: deps.onForeignEpoch,
          onError: (error) =>
            log.warn({ err: error, channelId }, 'an event could not be delivered yet'),
        });
      },
    });
    if (floor !== undefined) room.update({ floor });
    cache.forget(channelId);
    rooms.set(channelId, { room, unsubscribe });
    closeWhenIdle(room);
    return room;
  }

  /**
   * Repeats the read if the epoch changed during it, because a head of an earlier epoch would make a room drop new
   * events. Rejects with ChatStoreError when the epoch keeps changing.
   */
  async function readInEpoch<T>(read: () => Promise<T>): Promise<T> {
    for (let reads = 1; reads <= maxReads; reads++) {
      const [generation, epoch] = [epochGeneration, store.epoch];
      const result = await read();
      if (epochGeneration === generation && store.epoch === epoch) return result;
    }
    throw new ChatStoreError('unavailable', "the database's epoch keeps changing");
  }

  function readHead(channelId: string): Promise<LogPage> {
    return readInEpoch(() => store.logPage(channelId, Number.MAX_SAFE_INTEGER, 1, 1));
  }

  /** Gives an event to its room. Reports a conflict if the room has delivered another event with the same seq. */
  function offer(room: Room, event: EncodedEnvelope): void {
    moveToEpoch(room.channelId);
    if (event.seq !== null && event.seq <= room.head && event.epoch === store.epoch) {
      // Usually the delivered event is still in memory, and is the same event.
      const delivered = room.after(event.seq - 1)?.[0];
      if (delivered && delivered.id !== event.id) deps.onSeqConflict?.(delivered);
    }
    room.offer(event);
  }

  // Also reads the event at `after` again. If it differs from the delivered event, the log was replaced.
  async function fetchAfter(channelId: string, after: number, limit: number) {
    const delivered = rooms.get(channelId)?.room.after(after - 1)?.[0];
    const from = delivered?.seq === after ? after - 1 : after;
    const generation = epochGeneration;
    const page = await store.logPage(channelId, from, limit + after - from, maxPageBytes);
    const { events, floor } = page;
    if (floor > after + 1) {
      await skipTrimmed(channelId, page, generation);
      return [];
    }
    const [first] = events;
    if (delivered && first?.seq === after) {
      if (first.id !== delivered.id) {
        deps.onSeqConflict?.(delivered);
        throw new Error(`the log of ${channelId} holds another event ${after} than was delivered`);
      }
      // If the page holds only the event at `after`, the next event may be too large to share the page.
      if (events.length > 1) return events.slice(1);
      return (await store.logPage(channelId, after, limit, maxPageBytes)).events;
    }
    return events;
  }

  /**
   * Events were trimmed before this hub read them, so the room continues from the log's floor. The trimmed events may
   * have removed members, so rights are read first: one query for each agent in the room. Does nothing if the epoch has
   * changed since `generation`.
   */
  async function skipTrimmed(
    channelId: string,
    { floor, head }: LogPage,
    generation: number,
  ): Promise<void> {
    const room = rooms.get(channelId)?.room;
    if (!room) return;
    const left = await readDeparted(store, channelId, room.members);
    if (epochGeneration !== generation || rooms.get(channelId)?.room !== room) return;
    cache.forget(channelId);
    room.update({ floor });
    room.skipTrimmed(floor - 1, left);
    room.raise(head);
  }

  async function openRoom(channelId: string): Promise<Room> {
    if (isDirectChannelId(channelId)) return enterDirect(channelId, await readHead(channelId));
    // Events that arrive before the head is known are kept. Then the sequencer drops those up to the head.
    let early: EncodedEnvelope[] | null = [];
    let earlyChars = 0;
    let room: Room | undefined;
    const unsubscribe = await bus.subscribeChannel(channelId, (event) => {
      if (room) {
        if (event.seq === null) deps.onEphemeral(room, event);
        else offer(room, event);
      } else if (early && event.seq !== null && early.length < maxEarly) {
        earlyChars += event.json.length;
        if (earlyChars <= maxEarlyChars) early.push(event);
      }
    });
    try {
      room = createRoom(channelId, await readHead(channelId), unsubscribe);
    } catch (error) {
      await unsubscribe();
      throw error;
    }
    for (const event of early) room.offer(event);
    early = null;
    return room;
  }

  function enterDirect(channelId: string, from: RoomStart): Room {
    return current(channelId) ?? createRoom(channelId, from, () => Promise.resolve());
  }

  function closeWhenIdle(room: Room): void {
    const entry = rooms.get(room.channelId);
    if (entry?.room !== room || isClosed) return;
    clearTimeout(entry.idle);
    entry.idle = setTimeout(() => {
      if (!room.isInUse) void closeRoom(room.channelId);
    }, idleMs);
    entry.idle.unref();
  }

  async function closeRoom(channelId: string): Promise<void> {
    const entry = rooms.get(channelId);
    if (!entry) return;
    rooms.delete(channelId);
    outdated.delete(channelId);
    clearTimeout(entry.idle);
    entry.room.close();
    await entry.unsubscribe().catch((error: unknown) => {
      log.warn({ err: error, channelId }, 'a topic could not be unsubscribed');
    });
  }

  function moveToEpoch(channelId: string): void {
    const head = outdated.get(channelId);
    if (head === undefined) return;
    outdated.delete(channelId);
    const room = rooms.get(channelId)?.room;
    room?.beginEpoch(head);
    if (room) onEpochChanged?.(room);
  }

  function current(channelId: string): Room | undefined {
    moveToEpoch(channelId);
    return rooms.get(channelId)?.room;
  }

  /**
   * Moves some rooms to the current epoch. The rest are moved in later turns of the event loop, or at their next use.
   */
  function moveSome(): void {
    let count = 0;
    for (const channelId of outdated.keys()) {
      moveToEpoch(channelId);
      if (++count < roomsPerTurn) continue;
      if (outdated.size > 0) setImmediate(moveSome);
      break;
    }
    // The callback may refer to thousands of sessions, so it is released.
    if (outdated.size === 0) onEpochChanged = undefined;
  }

  return {
    get: current,
    get size() {
      return rooms.size;
    },
    totals,
    channelIds: () => [...rooms.keys()],
    /**
     * Subscribes the topic before it reads the head, so that no event is missed. Rejects with ChatStoreError when the
     * head cannot be read. A room that no session enters closes by itself.
     */
    async open(channelId: string) {
      const room = current(channelId);
      if (room) {
        closeWhenIdle(room);
        return room;
      }
      let promise = opening.get(channelId);
      if (!promise) {
        promise = openRoom(channelId).finally(() => opening.delete(channelId));
        opening.set(channelId, promise);
      }
      return promise;
    },
    /** `head` must be of the current epoch, see {@link Rooms.epochGeneration}. */
    openDirect: (channelId: string, head: number) =>
      enterDirect(channelId, { head, epoch: store.epoch }),
    offer,
    /** This number changes with each new epoch. A head is valid only while the number is the same as at its read. */
    get epochGeneration() {
      return epochGeneration;
    },
    readInEpoch,
    /**
     * Call it when a backup was restored. Every room continues from its head in `heads`, or from 0 if `heads` has none.
     * The rooms move over several turns of the event loop. For each room, `onChanged` is called before the room
     * delivers an event of the new epoch.
     */
    beginEpoch(heads: ReadonlyMap<string, number>, onChanged?: (room: Room) => void) {
      epochGeneration += 1;
      onEpochChanged = onChanged;
      for (const channelId of rooms.keys()) outdated.set(channelId, heads.get(channelId) ?? 0);
      moveSome();
    },
    /** Call it when a session or a watcher leaves. An unused room closes after {@link idleMs}. */
    left(room: Room) {
      if (!room.isInUse) closeWhenIdle(room);
    },
    async close() {
      isClosed = true;
      await Promise.all([...rooms.keys()].map(closeRoom));
    },
  };
}

export type Rooms = ReturnType<typeof createRooms>;
