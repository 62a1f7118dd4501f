import { limits } from '@openclaw/protocol/wire';
import type { Prefetch, PrefetchedRows } from './group-statements.ts';
import type { Role } from './rights.ts';
import { decodeTurns, noTurns, type Turns } from './turns.ts';

type Repeat = PrefetchedRows['repeats'][number];

export type Prefetched = ReturnType<typeof indexPrefetched>;

// Ids and clientMessageIds contain no newline.
const key = (...parts: readonly string[]) => parts.join('\n');

const placeOf = (channelId: string, threadId: string | null) =>
  threadId === null ? channelId : key(channelId, threadId);

export function indexPrefetched(rows: PrefetchedRows) {
  const turns = new Map<string, Turns>();
  const roles = new Map(rows.members.map((m) => [key(m.channel_id, m.agent_id), m.role]));
  const messages = new Map(rows.messages.map((m) => [key(m.agent_id, m.id), m]));
  const repeats = new Map<string, Repeat>();
  for (const { id, channel_id, turns: counted } of rows.messages)
    turns.set(key(channel_id, id), decodeTurns(counted));
  const crowds = new Map(rows.crowds.map(({ channel_id, members }) => [channel_id, members]));
  const lastOrdinals = new Map<string, number>();
  for (const { channel_id, sender_id, last, sender_ordinal } of rows.senders) {
    const [ordinal = '0', ...counted] = (last ?? '').split(' ');
    lastOrdinals.set(channel_id, Number(ordinal));
    turns.set(channel_id, decodeTurns(counted.join(' ')));
    lastOrdinals.set(key(channel_id, sender_id), sender_ordinal);
  }

  function remember(repeat: Repeat): void {
    const { channel_id, sender_id, client_message_id } = repeat;
    repeats.set(key(channel_id, sender_id, client_message_id ?? ''), repeat);
  }
  rows.repeats.forEach(remember);

  function next(of: string): number {
    const last = lastOrdinals.get(of);
    if (last === undefined) throw new Error('a message was decided without its prefetch');
    lastOrdinals.set(of, last + 1);
    return last + 1;
  }

  return {
    role: (channelId: string, agentId: string): Role => roles.get(key(channelId, agentId)) ?? null,
    repeat: (channelId: string, senderId: string, clientMessageId: string) =>
      repeats.get(key(channelId, senderId, clientMessageId)),
    remember,
    /** In a small channel, anyone may mention everyone. */
    isSmall: (channelId: string) => (crowds.get(channelId) ?? Infinity) <= limits.mentions,
    message: (agentId: string, messageId: string) => messages.get(key(agentId, messageId)),
    /** Includes the messages that were decided before with the same prefetched rows. */
    turns: (channelId: string, threadId: string | null): Turns =>
      turns.get(placeOf(channelId, threadId)) ?? noTurns,
    setTurns: (channelId: string, threadId: string | null, counted: Turns) =>
      void turns.set(placeOf(channelId, threadId), counted),
    /** Assigns the numbers of the sender's next message, so each call returns higher numbers. */
    nextOrdinals: (channelId: string, senderId: string) => ({
      ordinal: next(channelId),
      sender_ordinal: next(key(channelId, senderId)),
    }),
  };
}

export function collectPrefetch() {
  const collector = <T extends readonly string[]>() => {
    const items = new Map<string, T>();
    return { items, add: (...parts: T) => void items.set(key(...parts), parts) };
  };
  const members = collector<Prefetch['members'][number]>();
  const repeats = collector<Prefetch['repeats'][number]>();
  const messages = collector<Prefetch['messages'][number]>();
  const senders = collector<Prefetch['senders'][number]>();
  const crowds = collector<Prefetch['crowds'][number]>();
  return {
    member: members.add,
    repeat: repeats.add,
    message: messages.add,
    sender: senders.add,
    crowd: crowds.add,
    toPrefetch: (): Prefetch => ({
      members: [...members.items.values()],
      repeats: [...repeats.items.values()],
      messages: [...messages.items.values()],
      senders: [...senders.items.values()],
      crowds: [...crowds.items.values()],
    }),
  };
}
