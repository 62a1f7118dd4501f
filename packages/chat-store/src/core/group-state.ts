import type { ChannelEvent } from '@openclaw/protocol';
import type { Actor, AppendedEvent } from '../commands.ts';
import type { GroupOpening, GroupRows, GroupTransaction, RepliesRow } from './engine.ts';
import { newId } from './new-id.ts';
import { encodeForLog } from './stored-envelope.ts';
import type { ChannelWithHead, LogTable } from './tables.ts';

/** An event to be appended to a channel's log. */
export interface Entry {
  readonly sender: Pick<Actor, 'agentId' | 'kind'>;
  /** Creates the event for its seq. */
  readonly event: (seq: number) => ChannelEvent;
  readonly messageId?: string;
  readonly clientMessageId?: string | null;
  readonly fingerprint?: string | null;
  /**
   * Agents whose own topic also gets the event. Ignored in a direct channel, where both agents' topics get every event.
   */
  readonly notify?: readonly string[];
}

/**
 * The state of a group while it is decided: its locked channels with the changes of its own commands, and the rows not
 * yet written. Only this transaction can change a locked channel, so this is the state of the database after the
 * commit.
 */
export interface GroupState {
  readonly nowMs: number;
  readonly epoch: string;
  readonly transaction: GroupTransaction;
  channel(channelId: string): ChannelWithHead | undefined;
  /** Adds a channel that this transaction created or locked later. */
  adopt(channel: ChannelWithHead): void;
  /** Gives the event the channel's next seq. */
  append(channel: ChannelWithHead, entry: Entry): AppendedEvent;
  addMessage(row: GroupRows['messages'][number]): void;
  addMention(row: GroupRows['mentions'][number]): void;
  addReply(row: Omit<RepliesRow, 'count'>): void;
  /** Records that an agent is known because it becomes a member. */
  addAgent(agentId: string): void;
  /** Returns and clears the rows that are not yet written, except agents. The caller must write them. */
  takeRows(): GroupRows;
  /**
   * Returns and clears all rows, for the commit. Agents are written only here and in id order, because two hubs that
   * record the same agents would otherwise deadlock.
   */
  takeLastRows(): GroupRows;
  readonly hasRows: boolean;
}

export function createGroupState(opening: GroupOpening): GroupState {
  const { nowMs, epoch, mark, transaction } = opening;
  const channels = new Map(opening.channels.map((channel) => [channel.id, { ...channel }]));
  let log: LogTable[] = [];
  let messages: GroupRows['messages'][number][] = [];
  let mentions: GroupRows['mentions'][number][] = [];
  let replies = new Map<string, RepliesRow>();
  const agents = new Set<string>();
  let lastRows = new Map<string, LogTable>();

  function takeRows(): GroupRows {
    for (const row of lastRows.values()) row.mark = mark;
    const rows = { log, messages, mentions, replies: [...replies.values()], agents: [] };
    log = [];
    messages = [];
    mentions = [];
    replies = new Map();
    lastRows = new Map();
    return rows;
  }

  return {
    nowMs,
    epoch,
    transaction,
    channel: (channelId) => channels.get(channelId),
    adopt: (channel) => void channels.set(channel.id, channel),
    append(channel, entry) {
      const { sender, event, messageId, clientMessageId, fingerprint, notify = [] } = entry;
      channel.head += 1;
      const seq = channel.head;
      const { encoded, stored } = encodeForLog({
        id: newId(nowMs),
        event: event(seq),
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
    addMessage: (row) => void messages.push(row),
    addMention: (row) => void mentions.push(row),
    addReply(row) {
      const known = replies.get(row.thread_id);
      if (known) known.count += 1;
      else replies.set(row.thread_id, { ...row, count: 1 });
    },
    addAgent: (agentId) => void agents.add(agentId),
    takeRows,
    takeLastRows: () => ({ ...takeRows(), agents: [...agents].sort() }),
    get hasRows() {
      return log.length > 0;
    },
  };
}
