import type { Access } from '@openclaw/chat-store';
import {
  isDirectChannelId,
  limits,
  utf8Bytes,
  type EncodedEnvelope,
  type ErrorCode,
  type ParamsOf,
} from '@openclaw/protocol';
import { outOfBounds, whyNotMember, type Hub } from '../hub.ts';
import type { Room } from '../live/room.ts';
import type { Session } from '../live/session.ts';
import { answer, refuse, type Caller, type Handlers } from '../rpc/answer.ts';
import { refusalOfError } from '../rpc/dispatcher.ts';

type Topic = ParamsOf<'subscribe'>['topics'][number];

/** A topic made ready: its room is live, and what the client missed is gathered but for the newest. */
interface Prepared {
  readonly room: Room;
  /** The store's head when it said that the agent is a member. */
  readonly memberAt: number;
  /** The events after `since` gathered so far; null when the topic is not resumed. */
  readonly events: EncodedEnvelope[] | null;
}

/** What the events of one result may still weigh. */
interface Budget {
  bytes: number;
}

/** How often membership is asked again because the agent left meanwhile. */
const leaveRounds = 3;
/** How long a hub that is behind the store's head may take to come level before a topic is refused. */
const levelMs = 2_000;

/** subscribe and unsubscribe: which channels a socket hears, and from where. */
export function subscriptionMethods(hub: Hub): Pick<Handlers, 'subscribe' | 'unsubscribe'> {
  const { rooms, store, presence } = hub;

  /** The rooms of all topics that the caller may hear, or why not. Membership is asked once for all, once more at the end. */
  async function openRooms(
    caller: Caller,
    topics: readonly Topic[],
  ): Promise<Map<string, Room | ErrorCode>> {
    const opened = new Map<string, Room | ErrorCode>();
    const inBounds = topics
      .map(({ channelId }) => channelId)
      .filter((channelId) => !outOfBounds(caller, channelId));
    // So that nobody opens rooms of channels that are not theirs.
    const access = await store.access(caller.identity.agentId, inBounds);
    await Promise.all(
      topics.map(async ({ channelId }) => {
        const refusal = inBounds.includes(channelId)
          ? whyRefused(caller, access.get(channelId))
          : 'forbidden';
        opened.set(channelId, refusal ?? (await openRoom(channelId).catch(codeOf)));
      }),
    );
    return opened;
  }

  /** The room, and whether its presence is pushed. */
  async function openRoom(channelId: string): Promise<Room> {
    const room = await rooms.open(channelId);
    await presence.opened(room);
    return room;
  }

  async function prepare(
    topic: Topic,
    room: Room,
    memberAt: number,
    isSameEpoch: boolean,
    budget: Budget,
  ): Promise<Prepared | ErrorCode> {
    room.raise(memberAt);
    if (!(await room.reached(memberAt, levelMs))) return 'unavailable';
    const { since } = topic;
    const events = since !== null && isSameEpoch ? await gather(room, since, budget) : null;
    return { room, memberAt, events };
  }

  /**
   * Asks again about topics whose rooms saw the agent leave after its membership was read: it may have been added again,
   * and a refusal is final.
   */
  async function confirm(
    caller: Caller,
    topics: readonly Topic[],
    prepared: (Prepared | ErrorCode)[],
  ): Promise<void> {
    const { agentId } = caller.identity;
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
        ready.room.raise(memberAt);
        const isLevel = refusal !== null || (await ready.room.reached(memberAt, levelMs));
        prepared[index] = refusal ?? (isLevel ? { ...ready, memberAt } : 'unavailable');
      }
    }
  }

  /** The events after `since`, from the store as far as the room's memory does not reach; null when too many. */
  async function gather(
    room: Room,
    since: number,
    budget: Budget,
  ): Promise<EncodedEnvelope[] | null> {
    if (since > room.head) return null;
    const events: EncodedEnvelope[] = [];
    let after = since;
    while (room.after(after) === null) {
      if (room.head - since > limits.resumeEvents) return null;
      const page = await room.page(after);
      // What the room has not delivered yet comes live: it must not stand in the result too.
      const delivered = page.filter(({ seq }) => seq !== null && seq <= room.head);
      const last = delivered.at(-1)?.seq;
      if (last === undefined || last === null) return null;
      for (const event of delivered) {
        events.push(event);
        budget.bytes -= utf8Bytes(event.json);
      }
      if (budget.bytes < 0) return null;
      after = last;
    }
    return events;
  }

  /** Joins the room and says from where, at one moment: nothing can come between. Returns the topic's result. */
  function enter(
    session: Session,
    { channelId, since }: Topic,
    prepared: Prepared,
    budget: Budget,
  ): string {
    const { room, memberAt } = prepared;
    const isNew = !session.rooms.has(channelId);
    if (isNew && !isDirectChannelId(channelId) && session.topics >= limits.topics) {
      return topicError(channelId, 'too_large');
    }
    // Closed meanwhile, having stood empty for long: the client asks again.
    if (rooms.get(channelId) !== room) return topicError(channelId, 'unavailable');
    if (room.isDeleted) return topicError(channelId, 'not_found');
    // At the last moment: it is asked again, for by now it may be back.
    if (room.hasLeftSince(memberAt, session.agentId)) return topicError(channelId, 'unavailable');

    let events = prepared.events;
    let head = room.head;
    if (events && since !== null) {
      const upTo = events.at(-1)?.seq ?? since;
      const tail = room.after(upTo);
      const tailBytes = tail?.reduce((sum, event) => sum + utf8Bytes(event.json), 0) ?? 0;
      if (tail && tailBytes <= budget.bytes) {
        events = [...events, ...tail];
        budget.bytes -= tailBytes;
      } else if (room.wasAwaySince(upTo, session.agentId)) {
        // Its own leave as a live event would be final, though it is back.
        events = null;
      } else {
        // What does not fit is sent as live events, from the log.
        head = upTo;
      }
      if (events && events.length > limits.resumeEvents) {
        events = null;
        head = room.head;
      }
    }
    session.mutedDirects.delete(channelId);
    session.enter(room, head);
    const presencePushed = presence.entered(session, room);
    const texts = events?.map((event) => event.json).join(',') ?? '';
    return `{"channelId":"${channelId}","head":${head},"resumed":${events !== null},"events":[${texts}],"presencePushed":${presencePushed}}`;
  }

  return {
    async subscribe(caller, { topics, epoch }) {
      const { session } = caller;
      if (!session) return refuse('unsupported', 'subscriptions belong to a connection');
      const isSameEpoch = epoch === null || epoch === store.epoch;
      const budget: Budget = { bytes: limits.resumeBytes };
      const { restarts } = rooms;
      const opened = await openRooms(caller, topics);
      const live = [...opened]
        .filter(([, room]) => typeof room === 'object')
        .map(([channelId]) => channelId);
      // Asked again now that the rooms are live: a removal in between is either seen here or comes as an event.
      const access = await store.access(session.agentId, live);
      const prepared: (Prepared | ErrorCode)[] = [];
      for (const topic of topics) {
        const room = opened.get(topic.channelId) ?? 'internal';
        const found = access.get(topic.channelId);
        const refusal = typeof room === 'string' ? room : whyRefused(caller, found);
        prepared.push(
          refusal !== null || typeof room === 'string' || !found
            ? (refusal ?? 'not_found')
            : await prepare(topic, room, found.head, isSameEpoch, budget).catch(codeOf),
        );
      }
      await confirm(caller, topics, prepared);
      const resultJson = () => {
        if (!session.isOpen) return '{"topics":[]}';
        const texts = topics.map((topic, index) => {
          // What was read of another life of the database is not of this one.
          const ready =
            rooms.restarts === restarts ? (prepared[index] ?? 'internal') : 'unavailable';
          return typeof ready === 'string'
            ? topicError(topic.channelId, ready)
            : enter(session, topic, ready, budget);
        });
        return `{"topics":[${texts.join(',')}]}`;
      };
      return { ok: true, resultJson };
    },

    unsubscribe({ session }, { channelIds }) {
      if (!session) return refuse('unsupported', 'subscriptions belong to a connection');
      for (const channelId of channelIds) {
        session.leave(channelId);
        if (isDirectChannelId(channelId) && session.mutedDirects.size < limits.topics) {
          session.mutedDirects.add(channelId);
        }
      }
      return answer({});
    },
  };
}

function whyRefused({ identity }: Caller, access: Access | undefined): ErrorCode | null {
  return access ? whyNotMember(access, identity.isAdmin) : 'not_found';
}

function topicError(channelId: string, code: ErrorCode): string {
  return JSON.stringify({ channelId, error: { code } });
}

// One topic's misfortune is told in its place and fails no other.
function codeOf(error: unknown): ErrorCode {
  return refusalOfError(error).code;
}
