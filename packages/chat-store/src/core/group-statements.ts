import { limits } from '@openclaw/protocol/wire';
import { addToLedger } from './ledger.ts';
import type {
  AgentsTable,
  ChannelsTable,
  InboxTable,
  LedgerTable,
  LogTable,
  MembersTable,
  MentionsTable,
  MessagesTable,
  ThreadBudgetsTable,
  ThreadsTable,
} from './tables.ts';

// SQLite and PostgreSQL share these statements. Each has its own `ListSyntax`.

/** The keys of the rows that must be read before a group is decided. Each list costs one statement. */
export interface Prefetch {
  readonly members: readonly (readonly [channelId: string, agentId: string])[];
  readonly repeats: readonly (readonly [
    channelId: string,
    senderId: string,
    clientMessageId: string,
  ])[];
  /**
   * The messages that a send names: its causes, the message that it replies to, and its thread's root. `agentId` is the
   * sender of that send.
   */
  readonly messages: readonly (readonly [agentId: string, messageId: string])[];
  readonly senders: readonly (readonly [channelId: string, senderId: string])[];
  /**
   * Channels in which a message mentions everyone. In a large channel only some agents may do this, so the members are
   * counted.
   */
  readonly crowds: readonly (readonly [channelId: string])[];
}

export const emptyLists = {
  members: [],
  repeats: [],
  messages: [],
  senders: [],
  crowds: [],
} satisfies Prefetch;

export interface PrefetchedRows {
  readonly members: readonly Pick<MembersTable, 'channel_id' | 'agent_id' | 'role'>[];
  readonly repeats: readonly Pick<
    LogTable,
    | 'channel_id'
    | 'sender_id'
    | 'client_message_id'
    | 'seq'
    | 'message_id'
    | 'timestamp'
    | 'fingerprint'
  >[];
  /** `agent_id` is the agent that refers to the message. `role` is this agent's role in the message's channel. */
  readonly messages: readonly (Pick<
    MessagesTable,
    'id' | 'channel_id' | 'thread_id' | 'sender_id' | 'taint'
  > &
    Pick<ThreadBudgetsTable, 'agent_turns' | 'per_minute'> &
    Pick<ChannelsTable, 'kind' | 'archived_at' | 'deleted_at'> & {
      /** The turns of the thread whose root is the message; null for none. */
      readonly turns: string | null;
      /**
       * 1 if the agent has an open ask to answer, else 0. The ask is this message itself, or an ask in the thread whose
       * root is this message.
       */
      readonly asked: number;
      readonly agent_id: string;
      readonly role: MembersTable['role'] | null;
      /** 1 if the message's sender is still a member of the channel, else 0. */
      readonly by_member: number;
    })[];
  /**
   * `last` has the ordinal of the channel's last message, a space, and the turns of this message. It is null for an
   * empty channel. `sender_ordinal` is the ordinal of the sender's last message among the sender's own, or 0.
   */
  readonly senders: readonly (Pick<MessagesTable, 'channel_id' | 'sender_id' | 'sender_ordinal'> & {
    readonly last: string | null;
  })[];
  /** The count stops at `limits.mentions + 1`, which already shows that the channel is large. */
  readonly crowds: readonly { readonly channel_id: string; readonly members: number }[];
}

export interface ListSyntax {
  /** Returns SQL that turns the list in the statement's parameters into rows with this number of columns. */
  readonly items: (columns: number) => string;
  /** The join with which the engine reads the items first, and then looks up the joined table for each item. */
  readonly join: 'join' | 'cross join';
}

export function lookUpStatements({ items, join }: ListSyntax): Record<keyof Prefetch, string> {
  return {
    members: `with w(channel_id, agent_id) as (${items(2)})
      select m.channel_id, m.agent_id, m.role
      from w ${join} members m on m.channel_id = w.channel_id and m.agent_id = w.agent_id`,
    repeats: `with w(channel_id, sender_id, client_id) as (${items(3)})
      select l.channel_id, l.sender_id, l.client_message_id, l.seq, l.message_id, l.timestamp,
        l.fingerprint
      from w ${join} log l on l.channel_id = w.channel_id and l.sender_id = w.sender_id
        and l.client_message_id = w.client_id and l.client_message_id is not null`,
    messages: `with w(agent_id, id) as (${items(2)})
      select w.agent_id, m.id, m.channel_id, m.thread_id, m.sender_id, m.taint, c.kind,
        c.archived_at, c.deleted_at, p.role, t.turns, b.agent_turns, b.per_minute,
        case when exists (select 1 from ask_addressees a where a.ask_id = m.id
            and a.agent_id = w.agent_id and a.state = 'open')
          or exists (select 1 from ask_addressees a where a.thread_id = m.id
            and a.agent_id = w.agent_id and a.state = 'open') then 1 else 0 end as asked,
        case when s.agent_id is null then 0 else 1 end as by_member
      from w ${join} messages m on m.id = w.id
      ${join} channels c on c.id = m.channel_id
      left join members p on p.channel_id = m.channel_id and p.agent_id = w.agent_id
      left join members s on s.channel_id = m.channel_id and s.agent_id = m.sender_id
      left join threads t on t.channel_id = m.channel_id and t.thread_id = m.id
      left join thread_budgets b on b.channel_id = m.channel_id and b.thread_id = m.id`,
    senders: `with w(channel_id, sender_id) as (${items(2)})
      select w.channel_id, w.sender_id,
        (select m.ordinal || ' ' || coalesce(m.turns, '') from messages m
          where m.channel_id = w.channel_id order by m.seq desc limit 1) as last,
        coalesce((select m.sender_ordinal from messages m where m.channel_id = w.channel_id
          and m.sender_id = w.sender_id order by m.ordinal desc limit 1), 0) as sender_ordinal
      from w`,
    crowds: `with w(channel_id) as (${items(1)})
      select w.channel_id, (select count(*) from (
        select 1 from members m where m.channel_id = w.channel_id
        limit ${limits.mentions + 1}) as counted) as members
      from w`,
  };
}

export interface GroupRows {
  readonly log: readonly LogTable[];
  readonly messages: readonly Omit<MessagesTable, 'deleted_at'>[];
  readonly mentions: readonly MentionsTable[];
  /**
   * Items of one channel are in the order of their seqs, because the database numbers items in the order of this list.
   */
  readonly inbox: readonly Omit<InboxTable, 'id'>[];
  /**
   * One row for each thread with new replies. Some fields are used only for a thread that begins with these replies.
   */
  readonly threads: readonly Omit<ThreadsTable, 'title'>[];
  readonly ledger: readonly LedgerTable[];
  /** In id order. */
  readonly agents: readonly Pick<AgentsTable, 'id'>[];
}

type ColumnType = 'text' | 'bigint' | 'integer';

interface Insert<Row> {
  readonly columns: Readonly<Record<keyof Row, ColumnType>>;
  readonly onConflict: string;
}

const tables: { readonly [T in keyof GroupRows]: Insert<GroupRows[T][number]> } = {
  log: {
    columns: {
      channel_id: 'text',
      seq: 'bigint',
      id: 'text',
      type: 'text',
      sender_id: 'text',
      timestamp: 'bigint',
      message_id: 'text',
      client_message_id: 'text',
      fingerprint: 'text',
      envelope: 'text',
      mark: 'bigint',
    },
    onConflict: '',
  },
  messages: {
    columns: {
      channel_id: 'text',
      seq: 'bigint',
      id: 'text',
      sender_id: 'text',
      thread_id: 'text',
      text_seq: 'bigint',
      ordinal: 'bigint',
      sender_ordinal: 'bigint',
      taint: 'text',
      turns: 'text',
    },
    onConflict: '',
  },
  mentions: {
    columns: { agent_id: 'text', channel_id: 'text', seq: 'bigint' },
    onConflict: '',
  },
  inbox: {
    columns: {
      agent_id: 'text',
      channel_id: 'text',
      seq: 'bigint',
      message_seq: 'bigint',
      reason: 'text',
      ask_id: 'text',
      question_id: 'text',
    },
    onConflict: '',
  },
  threads: {
    columns: {
      channel_id: 'text',
      thread_id: 'text',
      created_by: 'text',
      created_at: 'bigint',
      replies: 'bigint',
      last_seq: 'bigint',
      announced: 'integer',
      turns: 'text',
    },
    onConflict: `on conflict (channel_id, thread_id)
      do update set replies = threads.replies + excluded.replies, last_seq = excluded.last_seq,
        turns = excluded.turns`,
  },
  ledger: {
    columns: {
      channel_id: 'text',
      hour: 'bigint',
      thread_id: 'text',
      agent_id: 'text',
      turns: 'bigint',
      tokens_in: 'bigint',
      tokens_out: 'bigint',
      cost_micros: 'bigint',
      ms: 'bigint',
    },
    onConflict: addToLedger,
  },
  agents: { columns: { id: 'text' }, onConflict: 'on conflict do nothing' },
};

export const inserts = Object.entries(tables).map(([table, { columns, onConflict }]) => ({
  table: table as keyof GroupRows,
  columns: Object.entries(columns),
  into: `insert into ${table} (${Object.keys(columns).join(', ')})`,
  onConflict,
}));
