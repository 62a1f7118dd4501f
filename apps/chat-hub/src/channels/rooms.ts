import { createSequencer, type EventBus, type EventSource } from '@openclaw/events';
import { ChatStoreError, type ChatStore, type LogPage } from '@openclaw/chat-store';
import { isDirectChannelId, type EncodedEnvelope } from '@openclaw/protocol';
import type { Logger } from 'pino';
import { pageEvents } from './backlog.ts';
import type { Flusher } from './flusher.ts';
import { createRingBudget, type RingBudget } from './ring-budget.ts';
import { Room, type CreateSequencer } from './room.ts';

/** The live channels of this hub. */
export interface Rooms {
  /** The live room of a channel, or undefined. */
  get(channelId: string): Room | undefined;
  readonly size: number;
  channelIds(): string[];
  /**
   * The room, opened if need be: its topic is subscribed first and its head read after, so that nothing falls between.
   * Rejects with ChatStoreError when the head cannot be read. A room that nobody enters closes by itself.
   */
  open(channelId: string): Promise<Room>;
  /**
   * A direct channel's room: its events come by its members' agent topics, and its head is known. Whoever read the head
   * sees to it that the database began no other life since ({@link Rooms.restarts}).
   */
  openDirect(channelId: string, head: number): Room;
  /** Gives a room a durable event from the bus, and compares it with what was delivered at its place. */
  offer(room: Room, event: EncodedEnvelope): void;
  /**
   * The epoch changed: every room continues from its head in the new epoch, or from 0. `onRestarted` is called for each
   * room that was, before it delivers anything of the new epoch; not all in one turn.
   */
  restart(heads: ReadonlyMap<string, number>, onRestarted?: (room: Room) => void): void;
  /** How often that was: what was read of a room before it is not of the room any more. */
  readonly restarts: number;
  /** To be called when a socket left; a room that stays empty is closed after a while. */
  left(room: Room): void;
  close(): Promise<void>;
}

export interface RoomsDeps {
  readonly store: ChatStore;
  readonly bus: EventBus;
  readonly flusher: Flusher;
  /** The memory that the newest events of all channels share. @default one of 64 MiB */
  readonly ringBudget?: RingBudget;
  readonly log: Logger;
  /** This hub begins to follow a channel, having missed what came before. */
  readonly onOpened: (channelId: string) => void;
  /** Told of each event as it is delivered; `store`: the bus had not brought it. */
  readonly onDelivered: (event: EncodedEnvelope, source: EventSource) => void;
  /** Told of an ephemeral event of a channel. */
  readonly onEphemeral: (room: Room, event: EncodedEnvelope) => void;
  /** Told that an event of another epoch came. */
  readonly onForeignEpoch: (event: EncodedEnvelope) => void;
  /** Told that another event came with the seq of one that was delivered, which is passed on: the store knows which is true. */
  readonly onConflict?: (delivered: EncodedEnvelope) => void;
}

interface Entry {
  readonly room: Room;
  readonly unsubscribe: () => Promise<void>;
  idle?: NodeJS.Timeout;
}

/** How long an empty room keeps its place, so that reconnecting clients resume from memory. */
const idleMs = 30_000;
/** Bytes read from a log at once, so that taking them in never holds up the event loop. */
const maxPageBytes = 1_048_576;
/** How often a head is read again because the database began another life meanwhile. */
const headAttempts = 5;
/** Rooms that are restarted in one turn of the event loop. */
const restartsPerTurn = 50;
/** Events, and characters of them, kept while a room's head is not known yet; further ones are fetched later. */
const maxEarly = 1_000;
const maxEarlyChars = 1_048_576;

/** Creates the table of live channels. */
export function createRooms(deps: RoomsDeps): Rooms {
  const { store, bus, flusher, log, ringBudget = createRingBudget() } = deps;
  const rooms = new Map<string, Entry>();
  const opening = new Map<string, Promise<Room>>();
  let restarts = 0;
  /** Rooms that have yet to be restarted in the new epoch, with the head from which each continues. */
  const outdated = new Map<string, number>();
  let afterRestart: ((room: Room) => void) | undefined;
  let isClosed = false;

  function createRoom(
    channelId: string,
    { head, epoch }: Pick<LogPage, 'head' | 'epoch'>,
    unsubscribe: () => Promise<void>,
  ): Room {
    let first: string | null = epoch;
    const readLog = async (after: number) =>
      (await store.logPage(channelId, after, pageEvents - (after % pageEvents), maxPageBytes))
        .events;
    const create: CreateSequencer = (from, deliver) => {
      const life = first ?? store.epoch;
      first = null;
      return createSequencer({
        channelId,
        epoch: life,
        head: from,
        deliver(event, source) {
          deps.onDelivered(event, source);
          deliver(event);
        },
        fetch: (after, limit) => fetchAfter(channelId, after, limit),
        onForeignEpoch: deps.onForeignEpoch,
        onError: (error) =>
          log.warn({ err: error, channelId }, 'an event could not be delivered yet'),
      });
    };
    const room = new Room(channelId, head, flusher, readLog, create, ringBudget);
    deps.onOpened(channelId);
    rooms.set(channelId, { room, unsubscribe });
    closeWhenIdle(room);
    return room;
  }

  // A head is of one life of the database. One that was read before another began would leave the room deaf until the
  // log has grown past it.
  async function readHead(channelId: string): Promise<Pick<LogPage, 'head' | 'epoch'>> {
    for (let attempt = 1; attempt <= headAttempts; attempt++) {
      const [lives, before] = [restarts, store.epoch];
      const page = await store.logPage(channelId, Number.MAX_SAFE_INTEGER, 1, 1);
      if (restarts === lives && store.epoch === before) return page;
    }
    throw new ChatStoreError('unavailable', 'the database begins one life after another');
  }

  function offer(room: Room, event: EncodedEnvelope): void {
    current(room.channelId);
    if (event.seq !== null && event.seq <= room.head && event.epoch === store.epoch) {
      // Mostly what this hub committed itself comes back from the bus. Its newest events are in memory.
      const delivered = room.after(event.seq - 1)?.[0];
      if (delivered && delivered.id !== event.id) deps.onConflict?.(delivered);
    }
    room.offer(event);
  }

  // With the event before: another one there means that the log is not the one that was followed up to here.
  async function fetchAfter(channelId: string, after: number, limit: number) {
    const delivered = rooms.get(channelId)?.room.after(after - 1)?.[0];
    const from = delivered?.seq === after ? after - 1 : after;
    const { events } = await store.logPage(channelId, from, limit + after - from, maxPageBytes);
    const [first] = events;
    if (delivered && first?.seq === after) {
      if (first.id !== delivered.id) {
        deps.onConflict?.(delivered);
        throw new Error(`the log of ${channelId} holds another event ${after} than was delivered`);
      }
      // Alone it filled the page: what follows is larger than a page may be, and is read by itself.
      if (events.length > 1) return events.slice(1);
      return (await store.logPage(channelId, after, limit, maxPageBytes)).events;
    }
    return events;
  }

  async function openRoom(channelId: string): Promise<Room> {
    if (isDirectChannelId(channelId)) return enterDirect(channelId, await readHead(channelId));
    // Events that arrive before the head is known wait here; the sequencer sorts out which are old.
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

  function enterDirect(channelId: string, from: Pick<LogPage, 'head' | 'epoch'>): Room {
    return current(channelId) ?? createRoom(channelId, from, () => Promise.resolve());
  }

  function closeWhenIdle(room: Room): void {
    const entry = rooms.get(room.channelId);
    if (entry?.room !== room || isClosed) return;
    clearTimeout(entry.idle);
    entry.idle = setTimeout(() => {
      if (room.members.size === 0) void closeRoom(room.channelId);
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

  /** The room in the present epoch: restarted first if it is outdated. */
  function current(channelId: string): Room | undefined {
    const room = rooms.get(channelId)?.room;
    const head = outdated.get(channelId);
    if (head === undefined) return room;
    outdated.delete(channelId);
    room?.restart(head);
    if (room) afterRestart?.(room);
    return room;
  }

  /** Thousands of rooms are not restarted in one turn; one that is used is restarted first. */
  function restartSome(): void {
    let count = 0;
    for (const channelId of outdated.keys()) {
      current(channelId);
      if (++count < restartsPerTurn) continue;
      if (outdated.size > 0) setImmediate(restartSome);
      break;
    }
    // It may hold thousands of sockets.
    if (outdated.size === 0) afterRestart = undefined;
  }

  return {
    get: current,
    get size() {
      return rooms.size;
    },
    channelIds: () => [...rooms.keys()],
    async open(channelId) {
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
    openDirect: (channelId, head) => enterDirect(channelId, { head, epoch: store.epoch }),
    offer,
    get restarts() {
      return restarts;
    },
    restart(heads, onRestarted) {
      restarts += 1;
      afterRestart = onRestarted;
      for (const channelId of rooms.keys()) outdated.set(channelId, heads.get(channelId) ?? 0);
      restartSome();
    },
    left(room) {
      if (room.members.size === 0) closeWhenIdle(room);
    },
    async close() {
      isClosed = true;
      await Promise.all([...rooms.keys()].map(closeRoom));
    },
  };
}
