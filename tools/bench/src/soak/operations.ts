import type { Fleet } from './fleet.ts';
import type { Ledger } from '@openclaw/test-support';
import type { Random } from './random.ts';
import type { Subscriber } from './subscriber.ts';
import { createSender } from './sender.ts';

/** `turn` counts the agent's operations. Rejects with the hub's refusal. */
export type Operation = (subscriber: Subscriber, turn: number) => Promise<void>;

export interface OperationKind {
  readonly name: string;
  readonly weight: number;
  readonly act: Operation;
}

const emojis = ['👍', '🎉', '🚀', '👀', '✅'];
const statuses = ['online', 'away', 'dnd'] as const;

const weights = {
  ...{
    send: 80,
    direct: 5,
    oldDirect: 3,
    repeat: 2,
    edit: 4,
    delete: 1,
    react: 5,
    typing: 2,
    presence: 1,
  },
};

export function createOperations(fleet: Fleet, ledger: Ledger, random: Random): OperationKind[] {
  const sender = createSender(ledger, random, (agentId) => fleet.subscribersOf(agentId));

  function changed(type: string, channelId: string, messageId: string, seq: number | null) {
    if (seq !== null) ledger.sends.changed(type, { channelId, messageId, seq });
  }

  const acts = {
    send: (subscriber: Subscriber, turn: number) =>
      sender.send(
        subscriber,
        { channelId: random.pick(fleet.channelIds) },
        `${subscriber.name} reports ${turn}`,
      ),
    async direct(_seat: Subscriber, turn: number) {
      const [from, to] = random.shuffle(random.pick(fleet.pairs)) as [string, string];
      const subscriber = random.pick(fleet.subscribersOf(from));
      await sender.send(subscriber, { agentId: to }, `${from} tells ${to} ${turn}`);
    },
    /** Sends in one of very many direct channels of the first agent. The agent's welcomes list only a few of them. */
    async oldDirect(_seat: Subscriber, turn: number) {
      const [first] = fleet.subscribers;
      if (!first || fleet.silentIds.length === 0) return;
      const subscriber = random.pick(fleet.subscribersOf(first.agentId));
      const to = random.pick(fleet.silentIds);
      await sender.send(subscriber, { agentId: to }, `${first.agentId} tells ${to} ${turn}`);
    },
    async repeat(subscriber: Subscriber) {
      const sent = sender.recent(subscriber);
      if (sent) await sender.repeat(subscriber, sent);
    },
    async edit(subscriber: Subscriber, turn: number) {
      const sent = sender.recent(subscriber);
      if (!sent) return;
      const { channelId, messageId } = sent;
      const content = `${sent.content}, corrected ${turn}`;
      const { seq } = await subscriber.client.channel(channelId).edit(messageId, content);
      changed('channel.message.edit', channelId, messageId, seq);
    },
    async delete(subscriber: Subscriber) {
      const sent = sender.takeRecent(subscriber);
      if (!sent) return;
      const { channelId, messageId } = sent;
      const { seq } = await subscriber.client.channel(channelId).delete(messageId);
      changed('channel.message.delete', channelId, messageId, seq);
    },
    async react(subscriber: Subscriber) {
      const sent = sender.recent(random.pick(fleet.subscribers));
      if (!sent) return;
      const { channelId, messageId } = sent;
      const { seq } = await subscriber.client
        .channel(channelId)
        .react(messageId, random.pick(emojis));
      changed('channel.reaction.add', channelId, messageId, seq);
    },
    async typing(subscriber: Subscriber) {
      await subscriber.client.channel(random.pick(fleet.channelIds)).startTyping();
    },
    async presence(subscriber: Subscriber, turn: number) {
      const params = { status: random.pick(statuses), customStatus: `busy with ${turn}` };
      await subscriber.client.call('presence.set', params);
    },
  } satisfies Record<string, Operation>;
  return Object.entries(acts).map(([name, act]) => ({
    name,
    act,
    weight: weights[name as keyof typeof acts],
  }));
}
