import type { Access } from '@openclaw/chat-store';
import {
  isDirectChannelId,
  limits,
  refuse,
  utf8Bytes,
  type ErrorCode,
  type ParamsOf,
} from '@openclaw/protocol';
import { refusalOfError } from '../calls/failure.ts';
import { answer, type Caller, type Handlers } from '../calls/handler.ts';
import type { Room } from '../channels/room.ts';
import { encodeEvents } from '../event-loop/encoding-steps.ts';
import { runNow, type Steps } from '../event-loop/time-sliced-queue.ts';
import { discontinuityText } from '../sockets/catch-up.ts';
import type { Session } from '../sockets/session.ts';
import {
  createLogReader,
  gatherMissed,
  type ByteBudget,
  type MissedEvents,
} from './missed-events.ts';
import { outOfBounds, whyNotMember } from './rights.ts';
import type { MethodDeps } from './method-deps.ts';

type Topic = ParamsOf<'subscribe'>['topics'][number];

/** The room is live, and the missed events are read. The newest events are added from the room's memory on entry. */
interface Prepared {
  readonly room: Room;
  /** The channel's head when the agent's rights were read. */
  readonly memberAt: number;
  /** False for an admin that only observes the channel. */
  readonly isMember: boolean;
  /** The seq after which the client asked to resume. Null when it did not ask, or when its seq is of another epoch. */
  readonly since: number | null;
  readonly missed: MissedEvents | null;
}

/** If the agent was removed again after this many reads of its rights, the topic is refused. */
const leaveRounds = 3;
/** All rooms together have this long to reach the store's heads. Topics of rooms that are still behind are refused. */
const levelMs = 2_000;
/** The reads of missed events for all topics must begin within this time. Topics that need a later read are refused. */
const readMs = 10_000;

const topicsPerTurn = 50;

export function subscriptionMethods(deps: MethodDeps) {
  const { rooms, store, presence, slices, onResume, onDiscontinuity } = deps;

  /** A topic that the caller may not receive, or whose room does not open, gets an error code. */
  async function openRooms(
    caller: Caller,
    topics: readonly Topic[],
  ): Promise<Map<string, Room | ErrorCode>> {
    const opened = new Map<string, Room | ErrorCode>();
    const inBounds = new Set(
      topics
        .map(({ channelId }) => channelId)
        .filter((channelId) => !outOfBounds(caller, channelId)),
    );
    // An outsider must not cause a room to open, so rights come first.
    const access = await store.access(caller.identity.agentId, [...inBounds]);
    const opening: Promise<unknown>[] = [];
    for (const [index, { channelId }] of topics.entries()) {
      if (index > 0 && index % topicsPerTurn === 0) await slices.pause();
      const refusal = inBounds.has(channelId)
        ? whyRefused(caller, access.get(channelId))
        : 'forbidden';
      const open = async () => {
        opened.set(channelId, refusal ?? (await openRoom(channelId).catch(codeOf)));
      };
      opening.push(open());
    }
    await Promise.all(opening);
    return opened;
  }

  /** Opens the room and counts its present agents. The number decides whether presence is pushed. */
  async function openRoom(channelId: string): Promise<Room> {
    const room = await rooms.open(channelId);
    await presence.prepare(room);
    return room;
  }

  /**
   * The agent may have left some of the channels while missed events were read, and may have joined them again. Clients
   * take a refusal as final, so rights are read again for these topics.
   */
  async function confirm(
    caller: Caller,
    topics: readonly Topic[],
    prepared: (Prepared | ErrorCode)[],
  ): Promise<void> {
    const { agentId } = caller.identity;
    const levelEndMs = performance.now() + levelMs;
    for (let round = 0; round <= leaveRounds; round++) {
      const left = new Map<string, { index: number; ready: Prepared }>();
      topics.forEach(({ channelId }, index) => {
        const ready = prepared[index];
        if (typeof ready !== 'object' || !ready.room.hasLeftSince(ready.memberAt, agentId)) return;
        if (round === leaveRounds) prepared[index] = 'forbidden';
        else left.set(channelId, { index, ready });
      });
      if (left.size === 0) return;
      const access = await store.access(agentId, [...left.keys()]);
      for (const [channelId, { index, ready }] of left) {
        const found = access.get(channelId);
        const refusal = whyRefused(caller, found);
        const memberAt = found?.head ?? 0;
        const isReady = refusal !== null || (await isLevel(ready.room, memberAt, levelEndMs));
        const isMember = isMemberBy(found);
        prepared[index] = refusal ?? (isReady ? { ...ready, memberAt, isMember } : 'unavailable');
      }
    }
  }

  /**
   * An observer may become a member just before it enters the room, and then it misses the event of its own join. So
   * rights are read again, and a member is made present.
   */
  async function enterIfJoined(session: Session, room: Room): Promise<void> {
    const { agentId } = session;
    try {
      const found = await store.access(agentId, [room.channelId]);
      if (!isMemberBy(found.get(room.channelId))) return;
      if (session.rooms.get(room.channelId) === room) presence.joined(session, room);
    } catch (error) {
      deps.log.debug({ err: error }, 'a new member is not present until it subscribes again');
    }
  }

  /** Enters the room and makes the topic's result. Both are one synchronous step, so no event can arrive in between. */
  function enter(
    session: Session,
    { channelId, since: askedSince }: Topic,
    prepared: Prepared,
    budget: ByteBudget,
    notices: string[],
  ): string | Buffer[] {
    const { room, memberAt, since } = prepared;
    const isNew = !session.rooms.has(channelId);
    if (isNew && !isDirectChannelId(channelId) && session.topics >= limits.topics) {
      return topicError(channelId, 'too_large');
    }
    // The idle room closed before this step, so the client must try again.
    if (rooms.get(channelId) !== room) return topicError(channelId, 'unavailable');
    if (room.isDeleted) return topicError(channelId, 'not_found');
    // The agent may be a member again, so the client must repeat the call.
    if (room.hasLeftSince(memberAt, session.agentId)) return topicError(channelId, 'unavailable');

    const isTrimmed = since !== null && since < room.floor - 1;
    let missed = isTrimmed ? null : prepared.missed;
    let head = room.head;
    if (missed) {
      const tail = room.after(missed.lastSeq);
      const tailBytes = tail?.reduce((sum, event) => sum + utf8Bytes(event.json), 0) ?? 0;
      if (tail && tailBytes <= budget.bytes) {
        missed.count += tail.length;
        budget.bytes -= runNow(encodeEvents(tail, missed.pieces));
      } else if (room.wasAwaySince(missed.lastSeq, session.agentId)) {
        // The agent left and is a member again. A resume would send the leave as a live event after the result. Clients
        // take a live leave as final, so this topic is not resumed.
        missed = null;
      } else {
        // Events that do not fit are sent afterwards as live events.
        head = missed.lastSeq;
      }
      if (missed && missed.count > limits.resumeEvents) {
        missed = null;
        head = room.head;
      }
    }
    if (isTrimmed) {
      onDiscontinuity?.('trimmed');
      notices.push(discontinuityText(room, 'trimmed', head));
    }
    session.enter(room, head);
    if (askedSince !== null) onResume?.(missed !== null);
    const { isMember } = prepared;
    const presencePushed = presence.enter(session, room, isMember ? 'member' : 'observer');
    if (!isMember && room.head > memberAt) void enterIfJoined(session, room);
    // If the room has not caught up, its floor may be past its head.
    const floor = Math.min(room.floor, head + 1);
    const before = `{"channelId":"${channelId}","head":${head},"floor":${floor},"resumed":${missed !== null},"events":[`;
    const after = `],"presencePushed":${presencePushed}}`;
    const pieces = missed?.pieces ?? [];
    return pieces.length === 0
      ? `${before}${after}`
      : [Buffer.from(before), ...pieces, Buffer.from(after)];
  }

  return {
    async subscribe(caller, { topics, epoch }) {
      const { session } = caller;
      const readIn = store.epoch;
      const isSameEpoch = epoch === null || epoch === readIn;
      const budget: ByteBudget = { bytes: limits.resumeBytes };
      const { epochGeneration } = rooms;
      const opened = await openRooms(caller, topics);
      const live = [...opened]
        .filter(([, room]) => typeof room === 'object')
        .map(([channelId]) => channelId);
      // Finds channels from which the agent was removed before their rooms were live. Later removals arrive as events.
      const access = await store.access(session.agentId, live);
      // The rooms catch up at the same time, so one limit is enough for all.
      const levelEndMs = performance.now() + levelMs;
      for (const [channelId, room] of opened) {
        const found = access.get(channelId);
        if (typeof room !== 'object' || !found) continue;
        // A floor of an earlier epoch belongs to another log. Topics of an earlier epoch are refused below.
        if (rooms.epochGeneration === epochGeneration) room.update(found);
        room.raise(found.head);
      }
      const readLog = createLogReader(readMs);
      async function prepare({ channelId, since }: Topic): Promise<Prepared | ErrorCode> {
        const room = opened.get(channelId) ?? 'internal';
        if (typeof room === 'string') return room;
        const found = access.get(channelId);
        const refusal = whyRefused(caller, found);
        if (refusal !== null || !found) return refusal ?? 'not_found';
        if (!(await isLevel(room, found.head, levelEndMs))) return 'unavailable';
        const from = isSameEpoch ? since : null;
        const missed =
          from === null ? null : await gatherMissed(room, from, budget, slices, readLog);
        const isMember = isMemberBy(found);
        return { room, memberAt: found.head, isMember, since: from, missed };
      }
      const prepared: (Prepared | ErrorCode)[] = [];
      for (const [index, topic] of topics.entries()) {
        if (index > 0 && index % topicsPerTurn === 0) await slices.pause();
        prepared.push(await prepare(topic).catch(codeOf));
      }
      await confirm(caller, topics, prepared);
      const notices: string[] = [];
      // Each step writes the result of one topic. Events of the entered rooms wait until the whole answer is sent.
      function* resultSteps(): Steps<Buffer[]> {
        const pieces: Buffer[] = [];
        let text = '{"topics":[';
        for (const [index, topic] of topics.entries()) {
          if (!session.isOpen) return [Buffer.from('{"topics":[]}')];
          if (index > 0) text += ',';
          // Rights and heads of an earlier epoch do not hold in the current one.
          const ready =
            rooms.epochGeneration === epochGeneration && store.epoch === readIn
              ? (prepared[index] ?? 'internal')
              : 'unavailable';
          const entered =
            typeof ready === 'string'
              ? topicError(topic.channelId, ready)
              : enter(session, topic, ready, budget, notices);
          if (typeof entered === 'string') {
            text += entered;
          } else {
            pieces.push(Buffer.from(text), ...entered);
            text = '';
          }
          yield;
        }
        return [...pieces, Buffer.from(`${text}]}`)];
      }
      const onReplied = () => notices.forEach((notice) => session.send(notice));
      return { ok: true, resultSteps, onReplied };
    },

    unsubscribe({ session }, { channelIds }) {
      if (!session.unsubscribe(channelIds)) {
        const message = `a connection may unsubscribe from at most ${limits.topics} direct channels`;
        return refuse('too_large', message);
      }
      return answer({});
    },
  } satisfies Partial<Handlers>;
}

function whyRefused({ identity }: Caller, access: Access | undefined): ErrorCode | null {
  return access ? whyNotMember(access, identity) : 'not_found';
}

function isMemberBy(access: Access | undefined): boolean {
  return access !== undefined && access.role !== null;
}

function isLevel(room: Room, head: number, endMs: number): Promise<boolean> {
  room.raise(head);
  return room.whenReached(head, Math.max(0, endMs - performance.now()));
}

function topicError(channelId: string, code: ErrorCode): string {
  return JSON.stringify({ channelId, error: { code } });
}

function codeOf(error: unknown): ErrorCode {
  return refusalOfError(error).code;
}
