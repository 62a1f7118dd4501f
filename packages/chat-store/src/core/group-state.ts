import type { ChannelEvent } from '@openclaw/protocol';
import type { Actor, AppendedEvent } from '../commands.ts';
import type { GroupOpening } from './engine.ts';
import type { GroupRows, Prefetch } from './group-statements.ts';
import { collectLedgerRow } from './ledger.ts';
import { newId } from './new-id.ts';
import { encodeForLog } from './stored-envelope.ts';
import type { ChannelWithHead, LedgerTable, LogTable } from './tables.ts';
import type { TurnLimit } from './turns.ts';

type WithoutChannel<Event> = Event extends unknown ? Omit<Event, 'channelId'> : never;

type NewEvent = WithoutChannel<ChannelEvent>;

interface Entry {
  readonly messageId?: string;
  readonly clientMessageId?: string | null;
  readonly fingerprint?: string | null;
  /** Agents whose own topic also gets the event. Ignored in a direct channel, where both agents get every event. */
  readonly notify?: readonly string[];
}

export interface GroupPolicy {
  /** The limit of agents' messages in a thread or direct channel without a budget. @default none */
  readonly turnLimit?: TurnLimit | null;
}

/**
 * The locked channels of a group, with the changes that its commands made, and the rows that are not written yet. Only
 * this transaction can change a locked channel.
 */
export type GroupState = ReturnType<typeof createGroupState>;

const inboxKey = (agentId: string, channelId: string, seq: number) =>
  `${agentId}\n${channelId}\n${seq}`;

export function createGroupState(opening: GroupOpening, { turnLimit = null }: GroupPolicy = {}) {
  const { nowMs, epoch, mark, transaction } = opening;
  const channels = new Map(opening.channels.map((channel) => [channel.id, { ...channel }]));
  let log: LogTable[] = [];
  let messages: GroupRows['messages'][number][] = [];
  let mentions: GroupRows['mentions'][number][] = [];
  let inbox = new Map<string, GroupRows['inbox'][number]>();
  let threads = new Map<string, GroupRows['threads'][number]>();
  let ledger = new Map<string, LedgerTable>();
  const agents = new Set<string>();
  let lastRows = new Map<string, LogTable>();

  /** Returns and clears the unwritten rows, except agents. The caller must write them. */
  function takeRows(): GroupRows {
    for (const row of lastRows.values()) row.mark = mark;
    const rows = {
      ...{ log, messages, mentions, threads: [...threads.values()], agents: [] },
      ...{ inbox: [...inbox.values()], ledger: [...ledger.values()] },
    };
    log = [];
    messages = [];
    mentions = [];
    inbox = new Map();
    threads = new Map();
    ledger = new Map();
    lastRows = new Map();
    return rows;
  }

  return {
    nowMs,
    epoch,
    turnLimit,
    db: transaction.db,
    locksRows: transaction.locksRows,
    /** Before the call, the rows of earlier commands must have been written. */
    prefetch: (prefetch: Prefetch) => transaction.prefetched(prefetch),
    channel: (channelId: string) => channels.get(channelId),
    adopt: (channel: ChannelWithHead) => void channels.set(channel.id, channel),
    /** Pass a function if the event depends on its seq. */
    append(
      channel: ChannelWithHead,
      sender: Pick<Actor, 'agentId' | 'kind'>,
      event: NewEvent | ((seq: number) => NewEvent),
      { messageId, clientMessageId, fingerprint, notify = [] }: Entry = {},
    ): AppendedEvent {
      channel.head += 1;
      const seq = channel.head;
      const { type, ...fields } = typeof event === 'function' ? event(seq) : event;
      const { encoded, stored } = encodeForLog({
        id: newId(nowMs),
        event: { type, channelId: channel.id, ...fields } as ChannelEvent,
        timestamp: nowMs,
        senderId: sender.agentId,
        senderKind: sender.kind ?? null,
        channelId: channel.id,
        seq,
        epoch,
      });
      const row: LogTable = {
        channel_id: channel.id,
        seq,
        id: encoded.id,
        type: encoded.type,
        sender_id: sender.agentId,
        timestamp: nowMs,
        message_id: messageId ?? null,
        client_message_id: clientMessageId ?? null,
        fingerprint: fingerprint ?? null,
        envelope: stored,
        mark: null,
      };
      log.push(row);
      lastRows.set(channel.id, row);
      const agentTopics = channel.pair === null ? notify : channel.pair.split('\n');
      return { event: encoded, agentTopics };
    },
    addMessage: (row: GroupRows['messages'][number]) => void messages.push(row),
    /** The caller may change the returned item. */
    inboxItem: (agentId: string, channelId: string, seq: number) =>
      inbox.get(inboxKey(agentId, channelId, seq)),
    addInboxItem: (row: GroupRows['inbox'][number]) =>
      void inbox.set(inboxKey(row.agent_id, row.channel_id, row.seq), row),
    addMention: (row: GroupRows['mentions'][number]) => void mentions.push(row),
    /**
     * The first reply adds the thread's row to the unwritten rows. Further replies change only the number of replies,
     * `last_seq` and `turns` in it.
     */
    addReply(thread: Omit<GroupRows['threads'][number], 'replies' | 'announced'>) {
      const first = threads.get(thread.thread_id) ?? { ...thread, replies: 0, announced: 0 };
      const { last_seq, turns } = thread;
      threads.set(thread.thread_id, { ...first, last_seq, turns, replies: first.replies + 1 });
    },
    addTurn: (row: LedgerTable) => collectLedgerRow(ledger, row),
    addAgent: (agentId: string) => void agents.add(agentId),
    takeRows,
    /**
     * Call it only for the commit. Agents are written only then, in the order of their ids, because two hubs that
     * record the same agents could otherwise deadlock.
     */
    takeLastRows: (): GroupRows => ({
      ...takeRows(),
      agents: [...agents].sort().map((id) => ({ id })),
    }),
    hasRows: () => log.length > 0,
  };
}
