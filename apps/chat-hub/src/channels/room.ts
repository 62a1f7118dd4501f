import type { Access } from '@openclaw/chat-store';
import type { Sequencer } from '@openclaw/events';
import { decodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';
import { Backlog, type EncodedPage, type ReadLog, type RingBudget } from './backlog.ts';
import { Departures } from './departures.ts';
import type { TimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import { signalsOf, type Signal } from './conflation.ts';
import type { Flusher } from './flusher.ts';
import { framesOf } from './frames.ts';

export interface RoomMember {
  readonly agentId: string;
  readonly isObserver: boolean;
  readonly acceptsBatches: boolean;
  /** False while the session reads too slowly or catches up. */
  isLive(room: Room): boolean;
  enqueue(frame: Buffer): void;
  /**
   * The room calls this in place of `enqueue` when the session must get all events after `afterSeq` from the backlog.
   */
  backlogFrom(room: Room, afterSeq: number): void;
  /** The room calls this in place of `enqueue` with signals, which are not logged. */
  missSignals(room: Room, signals: readonly Signal[]): void;
  /** The event `seq` removed the session, because the agent left or the channel was deleted. */
  removed(room: Room, seq: number): void;
  /**
   * The room continues after {@link Room.head}, and earlier events cannot be sent. Either the epoch changed, or the
   * events were trimmed.
   */
  discontinued(room: Room, reason: 'epoch' | 'trimmed'): void;
  /**
   * The session must leave, but no event says so: the event that removed its agent was trimmed or belongs to another
   * epoch.
   */
  ended(room: Room, reason: 'epoch' | 'trimmed'): void;
}

export interface RoomDeps {
  readonly flusher: Flusher;
  readonly readLog: ReadLog;
  readonly createSequencer: (head: number, deliver: (event: EncodedEnvelope) => void) => Sequencer;
  /** The room calls this when an agent became a member. The agent may already be in the room, as an observer. */
  readonly onJoined?: (agentId: string) => void;
  readonly ringBudget?: RingBudget;
}

/**
 * A trim raises the floor, and a rewrite raises `rewrites`. Neither appends an event, so the room learns of both only
 * from reads of the store.
 */
export type LogState = Pick<Access, 'floor' | 'rewrites'>;

/** The room decodes only events of these types, because it needs the member or message that they name. */
const decodedTypes: ReadonlySet<string> = new Set([
  'channel.member.leave',
  'channel.member.join',
  'channel.message.delete',
]);
/** Past this number, waiting events are framed at once. */
const maxPendingChars = 1_048_576;

export class Room {
  readonly channelId: string;
  readonly members = new Set<RoomMember>();
  readonly #deps: RoomDeps;
  #sequencer: Sequencer;
  #backlog: Backlog;
  #pending: EncodedEnvelope[] = [];
  #pendingChars = 0;
  #departures = new Departures();
  #isDeleted = false;
  #floor = 1;
  #rewrites: number | null = null;
  readonly #waiters = new Set<{ head: number; resolve: (isReached: boolean) => void }>();
  readonly #watchers = new Set<(seq: number | null) => void>();

  constructor(channelId: string, head: number, deps: RoomDeps) {
    this.channelId = channelId;
    this.#deps = deps;
    this.#backlog = new Backlog(head, deps.readLog, deps.ringBudget);
    this.#sequencer = deps.createSequencer(head, (event) => this.#deliver(event));
  }

  get head(): number {
    return this.#sequencer.head;
  }

  /** May be lower than the store's floor, because the room learns of a trim later. */
  get floor(): number {
    return this.#floor;
  }

  /** Drops trimmed and rewritten events from memory. */
  update({ floor, rewrites }: Partial<LogState>): void {
    if (rewrites !== undefined && rewrites !== this.#rewrites) {
      this.#rewrites = rewrites;
      this.#backlog.forgetAll();
    }
    if (floor === undefined || floor <= this.#floor) return;
    this.#floor = floor;
    this.#backlog.trim(floor);
  }

  /**
   * Call it when the events up to `head` were trimmed before delivery. The room continues after `head` and notifies
   * every session. Sessions of `leftAgents` leave.
   */
  skipTrimmed(head: number, leftAgents: ReadonlySet<string>): void {
    if (head <= this.head) return;
    // The skipped events may have removed members, so rights that were read earlier must be read again.
    this.#departures.skipped(head);
    this.#continueAfter(head, 'trimmed');
    for (const member of [...this.members]) {
      if (!member.isObserver && leftAgents.has(member.agentId)) member.ended(this, 'trimmed');
    }
  }

  /** Takes a durable event in any order and any number of times. */
  offer(event: EncodedEnvelope): void {
    this.#sequencer.offer(event);
  }

  /** Fetches missing events up to the store's `head`. */
  raise(head: number): void {
    this.#sequencer.raise(head);
  }

  /** Sends an event that has no seq. It follows the durable events that the room has already delivered. */
  broadcast(event: EncodedEnvelope): void {
    if (this.members.size > 0) this.#queue(event);
  }

  /** Returns the events up to {@link Room.head}, or null when memory does not reach back to `seq`. */
  after(seq: number): readonly EncodedEnvelope[] | null {
    return this.#backlog.after(seq);
  }

  /**
   * Encodes the page once for all callers. Resolves with null if there are no events after `seq`; rejects with
   * ChatStoreError.
   */
  encodedPage(seq: number, slices: TimeSlicedQueue): Promise<EncodedPage | null> {
    return this.#backlog.encodedPage(seq, () => this.head, slices);
  }

  /** A session that enters after the deletion is not notified of it, so the caller must check this. */
  get isDeleted(): boolean {
    return this.#isDeleted;
  }

  /** Returns true also when the room cannot know, and false when the agent has joined again. */
  hasLeftSince(seq: number, agentId: string): boolean {
    return this.#departures.hasLeftSince(seq, agentId);
  }

  /** Works as `hasLeftSince`, but also returns true when the agent has joined again. */
  wasAwaySince(seq: number, agentId: string): boolean {
    return this.#departures.wasAwaySince(seq, agentId);
  }

  /** Resolves with false after `timeoutMs`. */
  whenReached(head: number, timeoutMs: number): Promise<boolean> {
    if (this.head >= head) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter = { head, resolve };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        resolve(false);
      }, timeoutMs);
      waiter.resolve = (isReached) => {
        clearTimeout(timer);
        resolve(isReached);
      };
      this.#waiters.add(waiter);
    });
  }

  /**
   * Calls the listener with the seq of each delivered durable event. Calls it with null when the room closes or
   * continues at another seq. Returns a function that removes the listener. While a room has a listener, it is not
   * closed as idle.
   */
  watch(listener: (seq: number | null) => void): () => void {
    this.#watchers.add(listener);
    return () => void this.#watchers.delete(listener);
  }

  get isInUse(): boolean {
    return this.members.size > 0 || this.#watchers.size > 0;
  }

  /** Call it when a backup was restored. Continues from `head`, and notifies every session. */
  beginEpoch(head: number): void {
    this.#departures = new Departures();
    this.#isDeleted = false;
    this.#floor = 1;
    this.#rewrites = null;
    this.#continueAfter(head, 'epoch');
  }

  #continueAfter(head: number, reason: 'epoch' | 'trimmed'): void {
    this.flush();
    this.#sequencer.close();
    this.#backlog.close();
    this.#backlog = new Backlog(head, this.#deps.readLog, this.#deps.ringBudget);
    this.#sequencer = this.#deps.createSequencer(head, (event) => this.#deliver(event));
    for (const member of this.members) member.discontinued(this, reason);
    this.#notifyWatchers(null);
    this.#reached(head);
  }

  close(): void {
    this.#sequencer.close();
    this.#backlog.close();
    for (const waiter of this.#waiters) waiter.resolve(false);
    this.#waiters.clear();
    this.#notifyWatchers(null);
  }

  flush(): void {
    const events = this.#pending;
    if (events.length === 0) return;
    this.#pending = [];
    this.#pendingChars = 0;
    let batched: Buffer[] | undefined;
    let single: Buffer[] | undefined;
    let signals: Signal[] | undefined;
    let sockets = 0;
    const firstSeq = events.find((event) => event.seq !== null)?.seq ?? null;
    for (const member of this.members) {
      if (!member.isLive(this)) {
        if (firstSeq !== null) member.backlogFrom(this, firstSeq - 1);
        signals ??= signalsOf(events);
        if (signals.length > 0) member.missSignals(this, signals);
        continue;
      }
      const frames = member.acceptsBatches
        ? (batched ??= framesOf(events, true))
        : (single ??= framesOf(events, false));
      for (const frame of frames) member.enqueue(frame);
      sockets += 1;
    }
    if (sockets > 0) this.#deps.flusher.delivered({ channelId: this.channelId, events, sockets });
  }

  /** Flushes at once when much is queued, else at the end of the turn. */
  #queue(event: EncodedEnvelope): void {
    this.#pending.push(event);
    this.#pendingChars += event.json.length;
    if (this.#pendingChars > maxPendingChars) this.flush();
    else this.#deps.flusher.scheduleRoom(this);
  }

  #deliver(event: EncodedEnvelope): void {
    this.#backlog.push(event);
    this.#queue(event);
    const seq = event.seq ?? 0;
    this.#reached(seq);
    this.#notifyWatchers(seq);
    if (event.type === 'channel.delete') {
      this.#isDeleted = true;
      this.#remove([...this.members], seq);
    } else if (decodedTypes.has(event.type)) {
      const decoded = decodeEnvelope(event.json)?.envelope.event;
      if (decoded?.type === 'channel.member.leave') this.#memberLeft(decoded.member.agentId, seq);
      if (decoded?.type === 'channel.member.join') {
        this.#departures.rejoined(decoded.member.agentId);
        this.#deps.onJoined?.(decoded.member.agentId);
      }
      if (decoded?.type === 'channel.message.delete')
        this.#backlog.forgetMessage(decoded.message.id);
    }
  }

  #notifyWatchers(seq: number | null): void {
    for (const watcher of this.#watchers) watcher(seq);
  }

  #reached(seq: number): void {
    for (const waiter of this.#waiters) {
      if (seq < waiter.head) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(true);
    }
  }

  // A removed member gets the event of the removal, but no later event.
  #memberLeft(agentId: string, seq: number): void {
    this.#departures.left(agentId, seq);
    this.#remove(
      [...this.members].filter((member) => member.agentId === agentId),
      seq,
    );
  }

  #remove(members: readonly RoomMember[], seq: number): void {
    if (members.length === 0) return;
    this.flush();
    for (const member of members) {
      this.members.delete(member);
      member.removed(this, seq);
    }
  }
}
