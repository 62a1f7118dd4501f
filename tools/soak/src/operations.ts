import type { Fleet } from './fleet.ts';
import type { Ledger } from './ledger.ts';
import type { Random } from './random.ts';
import type { Seat } from './seat.ts';
import { createSender } from './sender.ts';

/** One thing that an agent does; `turn` is another each time. Rejects with the hub's refusal. */
export type Operation = (seat: Seat, turn: number) => Promise<void>;

/** A kind of operation, and how often it is drawn. */
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

/** What agents do, with everything acknowledged noted in the ledger. */
export function createOperations(fleet: Fleet, ledger: Ledger, random: Random): OperationKind[] {
  const sender = createSender(ledger, random, (agentId) => fleet.seatsOf(agentId));

  /** Notes what a change of a message came to; null: it changed nothing. */
  function changed(type: string, channelId: string, messageId: string, seq: number | null) {
    if (seq !== null) ledger.sends.changed(type, { channelId, messageId, seq });
  }

  const acts = {
    send: (seat: Seat, turn: number) =>
      sender.send(
        seat,
        { channelId: random.pick(fleet.channelIds) },
        `${seat.name} reports ${turn}`,
      ),
    async direct(_seat: Seat, turn: number) {
      const [from, to] = random.shuffle(random.pick(fleet.pairs)) as [string, string];
      const seat = random.pick(fleet.seatsOf(from));
      await sender.send(seat, { agentId: to }, `${from} tells ${to} ${turn}`);
    },
    /** To one of many direct channels, most of which no welcome names. */
    async oldDirect(_seat: Seat, turn: number) {
      const [first] = fleet.seats;
      if (!first || fleet.silentIds.length === 0) return;
      const seat = random.pick(fleet.seatsOf(first.agentId));
      const to = random.pick(fleet.silentIds);
      await sender.send(seat, { agentId: to }, `${first.agentId} tells ${to} ${turn}`);
    },
    async repeat(seat: Seat) {
      const sent = sender.recent(seat);
      if (sent) await sender.repeat(seat, sent);
    },
    async edit(seat: Seat, turn: number) {
      const sent = sender.recent(seat);
      if (!sent) return;
      const { channelId, messageId } = sent;
      const content = `${sent.content}, corrected ${turn}`;
      const { seq } = await seat.client.channel(channelId).edit(messageId, content);
      changed('channel.message.edit', channelId, messageId, seq);
    },
    async delete(seat: Seat) {
      const sent = sender.takeRecent(seat);
      if (!sent) return;
      const { channelId, messageId } = sent;
      const { seq } = await seat.client.channel(channelId).delete(messageId);
      changed('channel.message.delete', channelId, messageId, seq);
    },
    async react(seat: Seat) {
      const sent = sender.recent(random.pick(fleet.seats));
      if (!sent) return;
      const { channelId, messageId } = sent;
      const { seq } = await seat.client.channel(channelId).react(messageId, random.pick(emojis));
      changed('channel.reaction.add', channelId, messageId, seq);
    },
    async typing(seat: Seat) {
      await seat.client.channel(random.pick(fleet.channelIds)).startTyping();
    },
    async presence(seat: Seat, turn: number) {
      const params = { status: random.pick(statuses), customStatus: `busy with ${turn}` };
      await seat.client.call('presence.set', params);
    },
  } satisfies Record<string, Operation>;
  return Object.entries(acts).map(([name, act]) => ({
    name,
    act,
    weight: weights[name as keyof typeof acts],
  }));
}
