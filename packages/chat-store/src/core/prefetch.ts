import type { PrefetchedRows, PrefetchedMessage, PrefetchedRepeat, Prefetch } from './engine.ts';
import type { Role } from './rights.ts';

/** The prefetched rows of a run of messages, by key. */
export interface Prefetched {
  role(channelId: string, agentId: string): Role;
  repeat(
    channelId: string,
    senderId: string,
    clientMessageId: string,
  ): PrefetchedRepeat | undefined;
  /** Adds a message of this run, so that a later one with the same clientMessageId is recognized as a repeat. */
  remember(repeat: PrefetchedRepeat & { client_message_id: string }): void;
  /** A message that the agent replies to or names as a cause. */
  message(agentId: string, messageId: string): PrefetchedMessage | undefined;
  /** The numbers of the sender's next message in the channel. Each call counts one message. */
  nextOrdinals(
    channelId: string,
    senderId: string,
  ): { readonly ordinal: number; readonly sender_ordinal: number };
}

// Neither ids nor clientMessageIds may contain a newline.
const key = (...parts: readonly string[]) => parts.join('\n');

/** Indexes the prefetched rows. */
export function indexPrefetched(rows: PrefetchedRows): Prefetched {
  const roles = new Map(rows.members.map((m) => [key(m.channel_id, m.agent_id), m.role]));
  const messages = new Map(rows.messages.map((m) => [key(m.agent_id, m.id), m]));
  const repeats = new Map<string, PrefetchedRepeat>();
  const remember = (repeat: PrefetchedRepeat) =>
    void repeats.set(
      key(repeat.channel_id, repeat.sender_id, repeat.client_message_id ?? ''),
      repeat,
    );
  rows.repeats.forEach(remember);
  const lastOrdinals = new Map<string, number>();
  for (const { channel_id, sender_id, ordinal, sender_ordinal } of rows.senders) {
    lastOrdinals.set(channel_id, ordinal);
    lastOrdinals.set(key(channel_id, sender_id), sender_ordinal);
  }
  const next = (of: string): number => {
    const last = lastOrdinals.get(of);
    if (last === undefined) throw new Error('a message was decided without its prefetch');
    lastOrdinals.set(of, last + 1);
    return last + 1;
  };
  return {
    role: (channelId, agentId) => roles.get(key(channelId, agentId)) ?? null,
    repeat: (...parts) => repeats.get(key(...parts)),
    remember,
    message: (agentId, messageId) => messages.get(key(agentId, messageId)),
    nextOrdinals: (channelId, senderId) => ({
      ordinal: next(channelId),
      sender_ordinal: next(key(channelId, senderId)),
    }),
  };
}

/** Collects the look-ups of a run of messages, each once. */
export function collectPrefetch() {
  const members = new Map<string, readonly [string, string]>();
  const repeats = new Map<string, readonly [string, string, string]>();
  const messages = new Map<string, readonly [string, string]>();
  const senders = new Map<string, readonly [string, string]>();
  return {
    member: (channelId: string, agentId: string) =>
      void members.set(key(channelId, agentId), [channelId, agentId]),
    repeat: (channelId: string, senderId: string, clientMessageId: string) =>
      void repeats.set(key(channelId, senderId, clientMessageId), [
        channelId,
        senderId,
        clientMessageId,
      ]),
    message: (agentId: string, messageId: string) =>
      void messages.set(key(agentId, messageId), [agentId, messageId]),
    sender: (channelId: string, senderId: string) =>
      void senders.set(key(channelId, senderId), [channelId, senderId]),
    toPrefetch: (): Prefetch => ({
      members: [...members.values()],
      repeats: [...repeats.values()],
      messages: [...messages.values()],
      senders: [...senders.values()],
    }),
  };
}
