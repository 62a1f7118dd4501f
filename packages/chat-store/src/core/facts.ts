import type { FactRows, RepeatFact, RootFact, Wanted } from './engine.ts';
import type { Role } from './rights.ts';

/** What the database said about a run of messages, by key. */
export interface Facts {
  role(channelId: string, agentId: string): Role;
  repeat(channelId: string, senderId: string, clientMessageId: string): RepeatFact | undefined;
  /** Makes a message of this run known to those after it. */
  remember(repeat: RepeatFact & { client_message_id: string }): void;
  root(messageId: string): RootFact | undefined;
}

// Neither ids nor clientMessageIds may contain a newline.
const key = (...parts: readonly string[]) => parts.join('\n');

/** Indexes what came back. */
export function createFacts(rows: FactRows): Facts {
  const roles = new Map(rows.members.map((m) => [key(m.channel_id, m.agent_id), m.role]));
  const roots = new Map(rows.roots.map((root) => [root.id, root]));
  const repeats = new Map<string, RepeatFact>();
  const remember = (repeat: RepeatFact) =>
    void repeats.set(
      key(repeat.channel_id, repeat.sender_id, repeat.client_message_id ?? ''),
      repeat,
    );
  rows.repeats.forEach(remember);
  return {
    role: (channelId, agentId) => roles.get(key(channelId, agentId)) ?? null,
    repeat: (...parts) => repeats.get(key(...parts)),
    remember,
    root: (messageId) => roots.get(messageId),
  };
}

/** Collects what a run of messages wants to know, each thing once. */
export function createWanted() {
  const members = new Map<string, readonly [string, string]>();
  const repeats = new Map<string, readonly [string, string, string]>();
  const roots = new Set<string>();
  return {
    member: (channelId: string, agentId: string) =>
      void members.set(key(channelId, agentId), [channelId, agentId]),
    repeat: (channelId: string, senderId: string, clientMessageId: string) =>
      void repeats.set(key(channelId, senderId, clientMessageId), [
        channelId,
        senderId,
        clientMessageId,
      ]),
    root: (messageId: string) => void roots.add(messageId),
    toWanted: (): Wanted => ({
      members: [...members.values()],
      repeats: [...repeats.values()],
      roots: [...roots],
    }),
  };
}
