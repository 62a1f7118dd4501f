import type { ChannelEvent, Envelope, Member, Presence, Thread } from '@openclaw/protocol';

export type Members = ReadonlyMap<string, Member>;
export type Presences = ReadonlyMap<string, Presence>;
export type Threads = ReadonlyMap<string, Thread>;
/** An agent that types. The entry expires at `untilMs` unless a stop or a message of the agent removes it earlier. */
interface Typist {
  readonly agentId: string;
  readonly threadId: string | null;
  readonly untilMs: number;
}
/** The keys name agent and thread, because an agent can type in several threads at a time. */
export type Typing = ReadonlyMap<string, Typist>;

// The hub sends a stop after 10 s. The longer time is for a stop that was lost.
const typingTtlMs = 12_000;

function without<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  if (!map.has(key)) return map;
  const next = new Map(map);
  next.delete(key);
  return next;
}

export function reduceMembers(members: Members, { event }: Envelope): Members {
  switch (event.type) {
    case 'channel.member.join':
    case 'channel.member.update':
      return new Map(members).set(event.member.agentId, event.member);
    case 'channel.member.leave':
      return without(members, event.member.agentId);
    default:
      return members;
  }
}

export function reducePresences(presences: Presences, { event }: Envelope): Presences {
  if (event.type !== 'channel.presence') return presences;
  return new Map([...presences, ...event.presences.map((item) => [item.agentId, item] as const)]);
}

export function changesReplyCount(event: ChannelEvent): boolean {
  return (
    event.type === 'thread.message' ||
    (event.type === 'channel.message.delete' && event.message.threadId !== null)
  );
}

/** Call it once for each event: a reply that is applied again counts again. */
export function reduceThreads(threads: Threads, { event }: Envelope): Threads {
  if (event.type === 'thread.create' || event.type === 'thread.update') {
    return new Map(threads).set(event.thread.threadId, event.thread);
  }
  if (event.type !== 'thread.message' && event.type !== 'channel.message.delete') return threads;
  const { threadId, channelId, senderId, timestamp } = event.message;
  if (threadId === null) return threads;
  const known = threads.get(threadId);
  if (event.type === 'thread.message') {
    const created = { threadId, channelId, title: null, createdBy: senderId, createdAt: timestamp };
    const replies = (known?.replies ?? 0) + 1;
    return new Map(threads).set(threadId, { ...(known ?? created), replies });
  }
  if (known === undefined) return threads;
  return new Map(threads).set(threadId, { ...known, replies: Math.max(0, known.replies - 1) });
}

// No id contains a colon.
const typistKey = (agentId: string, threadId: string | null) => `${agentId}:${threadId ?? ''}`;

/** A sent message also ends the sender's typing in that channel or thread. */
export function reduceTyping(typing: Typing, envelope: Envelope, nowMs: number): Typing {
  const { event, senderId } = envelope;
  switch (event.type) {
    case 'channel.typing': {
      const { agentId, threadId } = event;
      const key = typistKey(agentId, threadId);
      if (!event.typing) return without(typing, key);
      return new Map(typing).set(key, { agentId, threadId, untilMs: nowMs + typingTtlMs });
    }
    case 'channel.message':
    case 'thread.message':
      return without(typing, typistKey(senderId, event.message.threadId));
    default:
      return typing;
  }
}

export function typistsIn(typing: Typing, threadId: string | null): string[] {
  return [...typing.values()]
    .filter((typist) => typist.threadId === threadId)
    .map(({ agentId }) => agentId);
}

/** Returns the same map when no entry has expired. */
export function withoutExpired(typing: Typing, nowMs: number): Typing {
  const live = [...typing].filter(([, { untilMs }]) => untilMs > nowMs);
  return live.length === typing.size ? typing : new Map(live);
}
