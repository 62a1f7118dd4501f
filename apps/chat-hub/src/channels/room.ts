import type { Sequencer } from '@openclaw/events';
import { decodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';
import { Backlog, type EncodedPage, type ReadLog } from './backlog.ts';
import type { Slices } from '../event-loop/slices.ts';
import { signalsOf, type Signal } from '../sockets/conflation.ts';
import type { Flusher } from './flusher.ts';
import { framesOf } from './frame.ts';
import { createRingBudget, type RingBudget } from './ring-budget.ts';

/** What a room knows of a socket. */
export interface RoomMember {
  readonly agentId: string;
  /** Whether it chose the subprotocol, so that one frame may hold an array of notifications. */
  readonly acceptsBatches: boolean;
  /** False while it reads too slowly, or catches up. */
  isFed(room: Room): boolean;
  enqueue(frame: Buffer): void;
  /** Told instead of fed: everything of the room after `seq` is still owed to it. */
  owe(room: Room, afterSeq: number): void;
  /** Told instead of fed: typing and presence, which are in no log. */
  missed(room: Room, signals: readonly Signal[]): void;
  /** The room let it go with the event `seq`: it left the channel, or the channel is gone. */
  dropped(room: Room, seq: number): void;
  /** The room began anew: what came between is not in the log any more. */
  discontinued(room: Room, reason: 'epoch'): void;
}

/** Makes the sequencer that delivers a room's events, from a head on. */
export type CreateSequencer = (
  head: number,
  deliver: (event: EncodedEnvelope) => void,
) => Sequencer;

/** How many leaves a room remembers, for subscribers whose membership was read a moment before. */
const maxLeaves = 1_000;
/** Characters of events that may wait to be framed; beyond it they are framed at once. */
const maxPendingChars = 1_048_576;

/** One live channel of this hub: its sequencer, its newest events, its sockets. */
export class Room {
  readonly channelId: string;
  readonly members = new Set<RoomMember>();
  readonly #flusher: Flusher;
  readonly #createSequencer: CreateSequencer;
  #sequencer: Sequencer;
  readonly #readLog: ReadLog;
  #backlog: Backlog;
  #pending: EncodedEnvelope[] = [];
  /** agentId → the seq at which it last left, and whether it is a member again; newest last. */
  readonly #leaves = new Map<string, { readonly seq: number; isBack: boolean }>();
  /** The highest seq of a leave that is no longer remembered. */
  #forgottenLeave = 0;
  #isDeleted = false;
  #pendingChars = 0;
  readonly #ringBudget: RingBudget;
  readonly #waiters = new Set<{ head: number; resolve: (isReached: boolean) => void }>();

  /**
   * @param readLog reads a page of the channel's log
   * @param createSequencer makes the sequencer that delivers into this room, starting after a head
   * @param ringBudget the memory that the newest events of all rooms share; by default one for this room alone
   */
  constructor(
    channelId: string,
    head: number,
    flusher: Flusher,
    readLog: ReadLog,
    createSequencer: CreateSequencer,
    ringBudget: RingBudget = createRingBudget(),
  ) {
    this.channelId = channelId;
    this.#flusher = flusher;
    this.#createSequencer = createSequencer;
    this.#readLog = readLog;
    this.#ringBudget = ringBudget;
    this.#backlog = new Backlog(head, readLog, ringBudget);
    this.#sequencer = createSequencer(head, (event) => this.#deliver(event));
  }

  /** The seq of the newest event delivered. */
  get head(): number {
    return this.#sequencer.head;
  }

  /** Takes a durable event from the bus or from this hub's own commit, in any order, as often as it comes. */
  offer(event: EncodedEnvelope): void {
    this.#sequencer.offer(event);
  }

  /** The store's head is `head`; what is missing up to there is fetched. */
  raise(head: number): void {
    this.#sequencer.raise(head);
  }

  /** Delivers an event that has no seq. */
  broadcast(event: EncodedEnvelope): void {
    if (this.members.size > 0) this.#await(event);
  }

  /** The events after `seq` up to {@link Room.head}, or null when they are no longer in memory. */
  after(seq: number): readonly EncodedEnvelope[] | null {
    return this.#backlog.after(seq);
  }

  /**
   * The events after `seq` up to {@link Room.head}, a page at most, encoded once for all who ask: from memory, or else
   * from the log. Null when there are none. Rejects with ChatStoreError.
   */
  encodedPage(seq: number, slices: Slices): Promise<EncodedPage | null> {
    return this.#backlog.encodedPage(seq, () => this.head, slices);
  }

  /** True once the channel was deleted: everyone in the room was notified, later subscribers are not. */
  get isDeleted(): boolean {
    return this.#isDeleted;
  }

  /** True when the log says that the agent left after `seq` and is not back, or when that is no longer remembered. */
  hasLeftSince(seq: number, agentId: string): boolean {
    return this.wasAwaySince(seq, agentId) && !this.#leaves.get(agentId)?.isBack;
  }

  /** True when the agent left after `seq`; it may be back. */
  wasAwaySince(seq: number, agentId: string): boolean {
    return (this.#leaves.get(agentId)?.seq ?? this.#forgottenLeave) > seq;
  }

  /** Resolves with true once {@link Room.head} is at least `head`, or with false after `timeoutMs`. */
  reached(head: number, timeoutMs: number): Promise<boolean> {
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

  /** Another life of the database: the channel goes on after its head there, and every socket is told. */
  restart(head: number): void {
    this.flush();
    this.#sequencer.close();
    this.#backlog.close();
    this.#backlog = new Backlog(head, this.#readLog, this.#ringBudget);
    this.#leaves.clear();
    this.#forgottenLeave = 0;
    this.#isDeleted = false;
    this.#sequencer = this.#createSequencer(head, (event) => this.#deliver(event));
    for (const member of this.members) member.discontinued(this, 'epoch');
  }

  close(): void {
    this.#sequencer.close();
    this.#backlog.close();
    for (const waiter of this.#waiters) waiter.resolve(false);
    this.#waiters.clear();
  }

  /** Frames what came since the last flush, once, and hands the same buffers to every socket. */
  flush(): void {
    const events = this.#pending;
    if (events.length === 0) return;
    this.#pending = [];
    this.#pendingChars = 0;
    let batched: Buffer[] | undefined;
    let single: Buffer[] | undefined;
    let signals: Signal[] | undefined;
    const firstSeq = events.find((event) => event.seq !== null)?.seq ?? null;
    for (const member of this.members) {
      if (!member.isFed(this)) {
        if (firstSeq !== null) member.owe(this, firstSeq - 1);
        signals ??= signalsOf(events);
        if (signals.length > 0) member.missed(this, signals);
        continue;
      }
      const frames = member.acceptsBatches
        ? (batched ??= framesOf(events, true))
        : (single ??= framesOf(events, false));
      for (const frame of frames) member.enqueue(frame);
    }
    if (this.members.size === 0) return;
    this.#flusher.handed({ channelId: this.channelId, events, sockets: this.members.size });
  }

  /** Keeps an event for the flush at the end of the turn, or flushes when enough has come together. */
  #await(event: EncodedEnvelope): void {
    this.#pending.push(event);
    this.#pendingChars += event.json.length;
    if (this.#pendingChars > maxPendingChars) this.flush();
    else this.#flusher.room(this);
  }

  #deliver(event: EncodedEnvelope): void {
    this.#backlog.push(event);
    this.#await(event);
    const seq = event.seq ?? 0;
    for (const waiter of this.#waiters) {
      if (seq < waiter.head) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(true);
    }
    if (event.type === 'channel.member.leave') this.#dropLeaver(event, seq);
    else if (event.type === 'channel.member.join') this.#takeBack(event);
    else if (event.type === 'channel.message.delete') this.#forgetText(event);
    else if (event.type === 'channel.delete') {
      this.#isDeleted = true;
      this.#drop([...this.members], seq);
    }
  }

  // A removed member gets the event that removes it, and nothing after.
  #dropLeaver(encoded: EncodedEnvelope, seq: number): void {
    const event = decodeEnvelope(encoded.json)?.envelope.event;
    if (event?.type !== 'channel.member.leave') return;
    const { agentId } = event.member;
    this.#leaves.delete(agentId);
    this.#leaves.set(agentId, { seq, isBack: false });
    const [oldest] = this.#leaves;
    if (this.#leaves.size > maxLeaves && oldest) {
      this.#leaves.delete(oldest[0]);
      this.#forgottenLeave = oldest[1].seq;
    }
    this.#drop(
      [...this.members].filter((member) => member.agentId === agentId),
      seq,
    );
  }

  #takeBack(encoded: EncodedEnvelope): void {
    if (this.#leaves.size === 0) return;
    const event = decodeEnvelope(encoded.json)?.envelope.event;
    if (event?.type !== 'channel.member.join') return;
    const leave = this.#leaves.get(event.member.agentId);
    if (leave) leave.isBack = true;
  }

  #drop(members: readonly RoomMember[], seq: number): void {
    if (members.length === 0) return;
    this.flush();
    for (const member of members) {
      this.members.delete(member);
      member.dropped(this, seq);
    }
  }

  #forgetText(encoded: EncodedEnvelope): void {
    const event = decodeEnvelope(encoded.json)?.envelope.event;
    if (event?.type === 'channel.message.delete') this.#backlog.forgetMessage(event.message.id);
  }
}
