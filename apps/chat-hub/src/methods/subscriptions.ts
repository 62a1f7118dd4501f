import {
  isDirectChannelId,
  limits,
  type EncodedEnvelope,
  type ErrorCode,
  type ParamsOf,
} from '@openclaw/protocol';
import { outOfBounds, type Hub } from '../hub.ts';
import type { Room } from '../live/room.ts';
import type { Session } from '../live/session.ts';
import { answer, refuse, type Caller, type Handlers } from '../rpc/answer.ts';

type Topic = ParamsOf<'subscribe'>['topics'][number];

/** A topic made ready: its room is live, and what the client missed is gathered but for the newest. */
interface Prepared {
  readonly room: Room;
  /** The store's head when it said that the agent is a member. */
  readonly memberAt: number;
  /** The events after `since` gathered so far; null when the topic is not resumed. */
  readonly events: EncodedEnvelope[] | null;
}

/** How long a hub that is behind the store's head may take to come level before a topic is refused. */
const levelMs = 2_000;

/** subscribe and unsubscribe: which channels a socket hears, and from where. */
export function subscriptionMethods(hub: Hub): Pick<Handlers, 'subscribe' | 'unsubscribe'> {
  /** The store's head at which the agent was a member, or why it may not subscribe. */
  async function membership(session: Session, channelId: string): Promise<number | ErrorCode> {
    const { agentId, isAdmin } = session.identity;
    const access = (await hub.store.access(agentId, [channelId])).get(channelId);
    if (!access) return 'not_found';
    if (access.role !== null || isAdmin) return access.head;
    return access.kind === 'public' ? 'forbidden' : 'not_found';
  }

  async function prepare(
    caller: Caller,
    session: Session,
    topic: Topic,
    isSameEpoch: boolean,
  ): Promise<Prepared | ErrorCode> {
    const { channelId, since } = topic;
    if (outOfBounds(caller, channelId)) return 'forbidden';
    // Asked twice, on purpose: before, so that nobody opens rooms of channels that are not theirs; and after the room
    // is live, so that a removal in between is either seen here or comes as an event.
    if (!hub.rooms.get(channelId)) {
      const early = await membership(session, channelId);
      if (typeof early === 'string') return early;
    }
    const room = await hub.rooms.open(channelId);
    const memberAt = await membership(session, channelId);
    if (typeof memberAt === 'string') return memberAt;
    room.raise(memberAt);
    if (!(await room.reached(memberAt, levelMs))) return 'unavailable';
    const events = since !== null && isSameEpoch ? await gather(room, since) : null;
    return { room, memberAt, events };
  }

  /** The events after `since`, from the store as far as the room's memory does not reach; null when too many. */
  async function gather(room: Room, since: number): Promise<EncodedEnvelope[] | null> {
    if (since > room.head) return null;
    const events: EncodedEnvelope[] = [];
    let bytes = 0;
    let after = since;
    while (room.after(after) === null) {
      if (room.head - since > limits.resumeEvents) return null;
      const page = await hub.store.logPage(
        room.channelId,
        after,
        limits.logPage,
        limits.resumeBytes,
      );
      for (const event of page.events) {
        events.push(event);
        bytes += event.json.length;
      }
      const last = events.at(-1)?.seq;
      if (bytes > limits.resumeBytes || last === undefined || last === null) return null;
      after = last;
    }
    return events;
  }

  /** Joins the room and says from where, at one moment: nothing can come between. Returns the topic's result. */
  function enter(
    session: Session,
    topic: Topic,
    prepared: Prepared,
    budgetBytes: number,
  ): { text: string; bytes: number } {
    const { channelId, since } = topic;
    const { room, memberAt } = prepared;
    const refusal = (code: ErrorCode) => {
      hub.rooms.left(room);
      return { text: topicError(channelId, code), bytes: 0 };
    };
    if (session.rooms.size >= limits.topics && !session.rooms.has(channelId))
      return refusal('too_large');
    const sinceMember = room.after(memberAt);
    if (sinceMember === null) return refusal('unavailable');
    if (sinceMember.some((event) => isLeaveOf(event, session.agentId))) return refusal('forbidden');

    const gathered = prepared.events;
    const tail = gathered && room.after(gathered.at(-1)?.seq ?? since ?? room.head);
    const events = gathered && tail ? [...gathered, ...tail] : null;
    const bytes = events?.reduce((sum, event) => sum + event.json.length, 0) ?? 0;
    const resumed = events !== null && events.length <= limits.resumeEvents && bytes <= budgetBytes;
    const texts = resumed ? events.map((event) => event.json).join(',') : '';
    session.mutedDirects.delete(channelId);
    session.enter(room);
    const presencePushed = hub.presence.entered(session, room);
    return {
      text:
        `{"channelId":"${channelId}","head":${room.head},"resumed":${resumed},` +
        `"events":[${texts}],"presencePushed":${presencePushed}}`,
      bytes: resumed ? bytes : 0,
    };
  }

  return {
    async subscribe(caller, { topics, epoch }) {
      const { session } = caller;
      if (!session) return refuse('unsupported', 'subscriptions belong to a connection');
      const isSameEpoch = epoch === null || epoch === hub.store.epoch;
      const prepared = await Promise.all(
        topics.map((topic) => prepare(caller, session, topic, isSameEpoch)),
      );
      const resultJson = () => {
        if (!session.isOpen) return '{"topics":[]}';
        let budgetBytes: number = limits.resumeBytes;
        const texts = topics.map((topic, index) => {
          const ready = prepared[index] ?? 'internal';
          if (typeof ready === 'string') return topicError(topic.channelId, ready);
          const { text, bytes } = enter(session, topic, ready, budgetBytes);
          budgetBytes -= bytes;
          return text;
        });
        return `{"topics":[${texts.join(',')}]}`;
      };
      return { ok: true, resultJson };
    },

    unsubscribe({ session }, { channelIds }) {
      if (!session) return refuse('unsupported', 'subscriptions belong to a connection');
      for (const channelId of channelIds) {
        session.leave(channelId);
        if (isDirectChannelId(channelId)) session.mutedDirects.add(channelId);
      }
      return answer({});
    },
  };
}

function topicError(channelId: string, code: ErrorCode): string {
  return JSON.stringify({ channelId, error: { code } });
}

function isLeaveOf(event: EncodedEnvelope, agentId: string): boolean {
  return event.type === 'channel.member.leave' && event.json.includes(`"agentId":"${agentId}"`);
}
