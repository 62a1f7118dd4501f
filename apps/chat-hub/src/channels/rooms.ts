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

/** How long an empty room stays open, so that reconnecting clients resume from memory. */
const idleMs = 30_000;
/** The most bytes read from a log at once, so that parsing them never blocks the event loop for long. */
const maxPageBytes = 1_048_576;
/** The most attempts to read heads. The read fails when the epoch changes during each of them. */
const maxReads = 5;
/** The number of rooms that change their epoch in one turn of the event loop. */
const roomsPerTurn = 50;
/**
 * The most events, and characters of events, that wait until a room's head is known. Events beyond
 * that are read from the log.
 */
const maxEarly = 1_000;
const maxEarlyChars = 1_048_576;

export function createRooms(deps: {
  readonly store: ChatStore;
  readonly bus: EventBus;
  readonly flusher: Flusher;
  /** The memory that the newest events of all channels share. @default a budget of 64 MiB */
  readonly ringBudget?: RingBudget;
  readonly log: Logger;
  readonly cache: Pick<HubCache, 'forget' | 'invalidateFor' | 'drop'>;
  readonly onEphemeral: (room: Room, event: EncodedEnvelope) => void;
  readonly onForeignEpoch: (event: EncodedEnvelope) => void;
  /** Called when an agent became a member of a room's channel. */
  readonly onJoined?: (room: Room, agentId: string) => void;
  /**
   * Called when an event arrives whose seq belongs to a different event, which was delivered. The
   * store decides which of the two is right.
   */
  readonly onSeqConflict?: (delivered: EncodedEnvelope) => void;
}) {
  const { store, bus, flusher, cache, log, ringBudget = createRingBudget() } = deps;
  const dropCaches = createCacheDropper(cache, log);
  const rooms = new Map<string, Entry>();
  const opening = new Map<string, Promise<Room>>();
  const totals: SequencerTotals = { holes: 0, repaired: 0, duplicates: 0 };
  let epochGeneration = 0;
  /** Rooms that are still in an earlier epoch, with the head from which each continues. */
  const outdated = new Map<string, number>();
  let onEpochChanged: ((room: Room) => void) | undefined;
  let isClosed = false;

  function createRoom(
    channelId: string,
    { head, epoch, floor }: RoomStart,
    unsubscribe: () => Promise<void>,
  ): Room {
    // The first sequencer continues the log from which the head was read. Later sequencers begin in
    // the store's current epoch.
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
            // The bus did not deliver this event, so the hub of its sender may have failed to
            // invalidate the caches.
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
   * Reads heads from the store, and repeats the read if the epoch changed during it. A room with a
   * head of an earlier epoch would drop new events until the log has grown past that head. Rejects
   * with ChatStoreError when the epoch keeps changing.
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

  /** Gives a room a durable event from the bus. If an event with its seq was already delivered, compares the two. */
  function offer(room: Room, event: EncodedEnvelope): void {
    moveToEpoch(room.channelId);
    if (event.seq !== null && event.seq <= room.head && event.epoch === store.epoch) {
      // Usually this is a second copy of an event that is still in memory.
      const delivered = room.after(event.seq - 1)?.[0];
      if (delivered && delivered.id !== event.id) deps.onSeqConflict?.(delivered);
    }
    room.offer(event);
  }

  // Also reads the event at `after`: if it differs from the event that was delivered, the log was
  // replaced.
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
      // The event at `after` filled the page alone, and the next one is too large to share a page.
      if (events.length > 1) return events.slice(1);
      return (await store.logPage(channelId, after, limit, maxPageBytes)).events;
    }
    return events;
  }

  /**
   * Lets a room continue from the log's floor, when events above the room's head were trimmed
   * before this hub read them. These events may have removed members, so rights are read before the
   * room delivers anything else, also for agents that enter during that read. Costs a query for
   * each agent in the room. `generation` is that of the page's epoch. If the epoch has changed
   * since then, nothing is skipped, because the page belongs to another log.
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
    // Events that arrive before the head is known. The sequencer drops events up to the head.
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

  /** Moves some rooms to the current epoch. The others follow in later turns, or when they are used. */
  function moveSome(): void {
    let count = 0;
    for (const channelId of outdated.keys()) {
      moveToEpoch(channelId);
      if (++count < roomsPerTurn) continue;
      if (outdated.size > 0) setImmediate(moveSome);
      break;
    }
    // Releases the callback, because it may keep thousands of sessions in memory.
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
     * Resolves with the room, and opens it if it is not live: its topic is subscribed first and its head read after, so
     * that no event is missed. Rejects with ChatStoreError when the head cannot be read. A room that no session enters
     * closes by itself.
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
    /**
     * Opens the room of a direct channel, whose events come on its members' agent topics. The
     * caller ensures that the head belongs to the current epoch ({@link Rooms.epochGeneration}).
     */
    openDirect: (channelId: string, head: number) =>
      enterDirect(channelId, { head, epoch: store.epoch }),
    offer,
    /** How many times the epoch changed. Heads read in an earlier generation are not valid. */
    get epochGeneration() {
      return epochGeneration;
    },
    readInEpoch,
    /**
     * Call it when the epoch changed (a backup was restored). Every room continues from its head in `heads`, or from 0
     * if it has none there. The rooms change over several turns; `onChanged` is called for each before it delivers
     * anything of the new epoch.
     */
    beginEpoch(heads: ReadonlyMap<string, number>, onChanged?: (room: Room) => void) {
      epochGeneration += 1;
      onEpochChanged = onChanged;
      for (const channelId of rooms.keys()) outdated.set(channelId, heads.get(channelId) ?? 0);
      moveSome();
    },
    /**
     * Call it when a session or a watcher leaves. A room that stays unused is closed after {@link
     * idleMs}.
     */
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
