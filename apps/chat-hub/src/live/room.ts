import type { Sequencer } from '@openclaw/events';
import { decodeEnvelope, limits, type EncodedEnvelope } from '@openclaw/protocol';
import type { Flusher } from './flusher.ts';
import { notificationText, textFrame } from './frame.ts';
import { createEventRing, type EventRing } from './ring.ts';

/** What a room knows of a socket. */
export interface RoomMember {
  readonly agentId: string;
  /** Whether it chose the subprotocol, so that one frame may hold an array of notifications. */
  readonly acceptsBatches: boolean;
  /** True while it reads too slowly to be fed. */
  readonly isLagging: boolean;
  enqueue(frame: Buffer): void;
  /** Told instead of fed while it lags: everything of the room after `seq` is still owed to it. */
  owe(room: Room, afterSeq: number): void;
  /** The room let it go: it left the channel, or the channel is gone. */
  dropped(room: Room): void;
}

/** One live channel of this hub: its sequencer, its newest events, its sockets. */
export class Room {
  readonly channelId: string;
  readonly members = new Set<RoomMember>();
  readonly #flusher: Flusher;
  readonly #sequencer: Sequencer;
  readonly #ring: EventRing;
  #pending: EncodedEnvelope[] = [];
  readonly #waiters = new Set<{ head: number; resolve: (isReached: boolean) => void }>();

  /** @param createSequencer makes the sequencer that delivers into this room, starting after `head` */
  constructor(
    channelId: string,
    head: number,
    flusher: Flusher,
    createSequencer: (deliver: (event: EncodedEnvelope) => void) => Sequencer,
  ) {
    this.channelId = channelId;
    this.#flusher = flusher;
    this.#ring = createEventRing(head);
    this.#sequencer = createSequencer((event) => this.#deliver(event));
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
    if (this.members.size === 0) return;
    this.#pending.push(event);
    this.#flusher.room(this);
  }

  /** The events after `seq` up to {@link Room.head}, or null when they are no longer in memory. */
  after(seq: number): readonly EncodedEnvelope[] | null {
    return this.#ring.after(seq);
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

  /** From here on the socket gets everything after {@link Room.head}. */
  join(member: RoomMember): void {
    // What is pending is at or below head: the newcomer was told of it otherwise.
    this.flush();
    this.members.add(member);
  }

  leave(member: RoomMember): void {
    this.members.delete(member);
  }

  /** Whether any socket of the agent is here. */
  hasAgent(agentId: string): boolean {
    for (const member of this.members) if (member.agentId === agentId) return true;
    return false;
  }

  close(): void {
    this.#sequencer.close();
  }

  /** Frames what came since the last flush, once, and hands the same buffers to every socket. */
  flush(): void {
    const events = this.#pending;
    if (events.length === 0) return;
    this.#pending = [];
    if (this.members.size === 0) return;
    let batched: Buffer[] | undefined;
    let single: Buffer[] | undefined;
    const firstSeq = events.find((event) => event.seq !== null)?.seq ?? null;
    for (const member of this.members) {
      if (member.isLagging) {
        if (firstSeq !== null) member.owe(this, firstSeq - 1);
        continue;
      }
      const frames = member.acceptsBatches
        ? (batched ??= batchFrames(events))
        : (single ??= events.map((event) => textFrame(notificationText('event', event.json))));
      for (const frame of frames) member.enqueue(frame);
    }
    this.#flusher.count(events.length * this.members.size);
  }

  #deliver(event: EncodedEnvelope): void {
    this.#ring.push(event);
    this.#pending.push(event);
    this.#flusher.room(this);
    for (const waiter of this.#waiters) {
      if ((event.seq ?? 0) < waiter.head) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(true);
    }
    if (event.type === 'channel.member.leave') this.#dropLeaver(event);
    else if (event.type === 'channel.message.delete') this.#ring.clear();
    else if (event.type === 'channel.delete') this.#dropAll();
  }

  // A removed member gets the event that removes it, and nothing after.
  #dropLeaver(event: EncodedEnvelope): void {
    const decoded = decodeEnvelope(event.json)?.envelope.event;
    if (decoded?.type !== 'channel.member.leave') return;
    this.flush();
    for (const member of [...this.members]) {
      if (member.agentId !== decoded.member.agentId) continue;
      this.members.delete(member);
      member.dropped(this);
    }
  }

  #dropAll(): void {
    this.flush();
    const members = [...this.members];
    this.members.clear();
    for (const member of members) member.dropped(this);
  }
}

/** The events as few frames as the protocol's batch limit allows. */
export function batchFrames(events: readonly EncodedEnvelope[]): Buffer[] {
  const frames: Buffer[] = [];
  let texts: string[] = [];
  let length = 0;
  const close = () => {
    const [only] = texts;
    if (only !== undefined)
      frames.push(textFrame(texts.length === 1 ? only : `[${texts.join(',')}]`));
    texts = [];
    length = 0;
  };
  for (const event of events) {
    const text = notificationText('event', event.json);
    if (texts.length === limits.batch || length + text.length > limits.frameBytes) close();
    texts.push(text);
    length += text.length + 1;
  }
  close();
  return frames;
}
