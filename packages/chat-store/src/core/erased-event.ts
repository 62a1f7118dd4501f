import type { ChannelEvent, Envelope, Message } from '@openclaw/protocol';

/** The agent to erase, and the id that takes its place, or null. */
export interface ErasedAgent {
  readonly agentId: string;
  readonly pseudonym: string | null;
}

/**
 * Returns the envelope without the agent's display name, thread titles and payloads of collaboration events. Messages
 * are not changed here, because they are deleted like any other. With a pseudonym the agent's id is replaced too.
 * Returns the same object when nothing changed.
 */
export function erasedEnvelope(envelope: Envelope, erased: ErasedAgent): Envelope {
  const event = erasedEvent(envelope, erased);
  const senderId = renamed(envelope.senderId, erased);
  return event === envelope.event && senderId === envelope.senderId
    ? envelope
    : { ...envelope, senderId, event };
}

function erasedEvent({ event, senderId }: Envelope, erased: ErasedAgent): ChannelEvent {
  const isOwn = senderId === erased.agentId;
  const emptied = emptiedEvent(event, isOwn, erased.agentId);
  return erased.pseudonym === null ? emptied : renamedEvent(emptied, erased);
}

function emptiedEvent(event: ChannelEvent, isOwn: boolean, agentId: string): ChannelEvent {
  if ('member' in event) {
    const { member } = event;
    return member.agentId === agentId && member.displayName !== null
      ? { ...event, member: { ...member, displayName: null } }
      : event;
  }
  if ('thread' in event) {
    const { thread } = event;
    return (isOwn || thread.createdBy === agentId) && thread.title !== null
      ? { ...event, thread: { ...thread, title: null } }
      : event;
  }
  return isOwn && event.type === 'collaboration.event' && Object.keys(event.payload).length > 0
    ? { ...event, payload: {} }
    : event;
}

function renamedEvent(event: ChannelEvent, erased: ErasedAgent): ChannelEvent {
  if (!JSON.stringify(event).includes(JSON.stringify(erased.agentId))) {
    if (!('channel' in event)) return event;
  }
  if ('message' in event) return { ...event, message: renamedMessage(event.message, erased) };
  if ('member' in event) {
    const { member } = event;
    return { ...event, member: { ...member, agentId: renamed(member.agentId, erased) } };
  }
  if ('thread' in event) {
    const { thread } = event;
    return { ...event, thread: { ...thread, createdBy: renamed(thread.createdBy, erased) } };
  }
  if ('channel' in event) {
    const { channel } = event;
    const name = channel.kind === 'direct' ? renamedPair(channel.name, ', ', erased) : channel.name;
    return {
      ...event,
      channel: { ...channel, name, createdBy: renamed(channel.createdBy, erased) },
    };
  }
  return 'agentId' in event ? { ...event, agentId: renamed(event.agentId, erased) } : event;
}

function renamedMessage(message: Message, erased: ErasedAgent): Message {
  const { senderId, mentions, reactions, origin } = message;
  const all = (ids: readonly string[]) => ids.map((id) => renamed(id, erased));
  const changed: Message = {
    ...message,
    senderId: renamed(senderId, erased),
    mentions: all(mentions),
    reactions: Object.fromEntries(Object.entries(reactions).map(([e, ids]) => [e, all(ids)])),
  };
  if (!origin?.onBehalfOf) return changed;
  return { ...changed, origin: { ...origin, onBehalfOf: renamed(origin.onBehalfOf, erased) } };
}

function renamed(id: string, { agentId, pseudonym }: ErasedAgent): string {
  return id === agentId && pseudonym !== null ? pseudonym : id;
}

/**
 * Replaces the id in a column that names both agents of a direct channel. Their order stays, because the channel's id
 * stays.
 */
export function renamedPair(pair: string, separator: string, erased: ErasedAgent): string {
  return pair
    .split(separator)
    .map((id) => renamed(id, erased))
    .join(separator);
}
