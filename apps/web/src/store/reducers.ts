import type { ChannelEvent, Envelope, Member, Presence } from '@openclaw/protocol';
import { withoutReply, withReply, withThread, type Threads } from './threads.ts';
import { withTyping, type TypingMarks } from './typing.ts';

/** A channel's members, by id. */
export type Members = ReadonlyMap<string, Member>;
/** What is known of their presence. */
export type Presences = ReadonlyMap<string, Presence>;

/** The members as the event leaves them. */
export function membersAfter(members: Members, event: ChannelEvent): Members {
  switch (event.type) {
    case 'channel.member.join':
    case 'channel.member.update':
      return new Map(members).set(event.member.agentId, event.member);
    case 'channel.member.leave': {
      const next = new Map(members);
      next.delete(event.member.agentId);
      return next;
    }
    default:
      return members;
  }
}

/** Who is there, as the event leaves it. */
export function presencesAfter(presences: Presences, event: ChannelEvent): Presences {
  if (event.type !== 'channel.presence') return presences;
  const next = new Map(presences);
  for (const presence of event.presences) next.set(presence.agentId, presence);
  return next;
}

/** True when the event changes how many replies a thread has. */
export function isOfReply(event: ChannelEvent): boolean {
  return (
    event.type === 'thread.message' ||
    (event.type === 'channel.message.delete' && event.message.threadId !== null)
  );
}

/** The threads as the event leaves them; a reply that is heard twice is counted twice. */
export function threadsAfter(threads: Threads, event: ChannelEvent): Threads {
  switch (event.type) {
    case 'thread.message':
      return withReply(threads, event.message);
    case 'channel.message.delete':
      return withoutReply(threads, event.message);
    case 'thread.create':
    case 'thread.update':
      return withThread(threads, event.thread);
    default:
      return threads;
  }
}

/** Who types, as the event leaves it: whoever has sent a message has stopped. */
export function typingAfter(
  marks: TypingMarks,
  { event, senderId }: Envelope,
  nowMs: number,
): TypingMarks {
  switch (event.type) {
    case 'channel.typing':
      return withTyping(marks, event, nowMs);
    case 'channel.message':
    case 'thread.message':
      return withTyping(marks, { agentId: senderId, typing: false, threadId: null }, nowMs);
    default:
      return marks;
  }
}
