import type {
  AgentKind,
  AskState,
  FreezeScope,
  InboxReason,
  QuestionState,
} from '@openclaw/protocol';
import type { Generated } from 'kysely';
import type {
  SearchDocsTable,
  SearchFedTable,
  SearchFeedTable,
  SearchPostingsTable,
  SearchSegmentsTable,
} from './search/search-tables.ts';

// JSON is stored as text, times as epoch milliseconds.

export interface ChannelsTable {
  id: string;
  kind: 'public' | 'private' | 'direct';
  name: string;
  topic: string | null;
  metadata: string | null;
  /** A direct channel's two agents, sorted, joined by a newline. */
  pair: string | null;
  created_by: string;
  created_at: number;
  archived_at: number | null;
  deleted_at: number | null;
  /** The time when all rows of the deleted channel were removed; null before. */
  swept_at: number | null;
  /** The channel's own retention. If it is null, the retention of the hub applies. */
  retention_ms: number | null;
  max_messages: number | null;
  /** The time when the channel was frozen for agents; null while it is not. */
  frozen_at: number | null;
  /** See turns.ts. */
  agent_turns: number | null;
  per_minute: number | null;
}

/**
 * The head is the seq of the log's last row. It is not a column, because a send locks the channel's row but does not
 * update it.
 */
export interface ChannelWithHead extends ChannelsTable {
  head: number;
}

/** Columns are selected by name, so that columns of a later release do not break this release's prepared statements. */
export const channelColumns = [
  ...['id', 'kind', 'name', 'topic', 'metadata', 'pair', 'created_by', 'created_at'],
  ...['archived_at', 'deleted_at', 'swept_at', 'retention_ms', 'max_messages'],
  ...['frozen_at', 'agent_turns', 'per_minute'],
] as (keyof ChannelsTable)[];

export interface MembersTable {
  channel_id: string;
  agent_id: string;
  role: 'owner' | 'member';
  display_name: string | null;
  joined_at: number;
  /** The seq of the member's join. A message that mentions everyone mentions the members that joined before it. */
  joined_seq: number;
  /** The seq up to which the member has acknowledged messages that mention everyone. */
  inbox_seq: number;
}

/** An agent that connected, was added to a channel, or had a token minted for it. */
export interface AgentsTable {
  id: string;
  /** The kind of the last verified token; null before the first. */
  kind: AgentKind | null;
  /** Null until the agent has used a token. */
  first_seen: number | null;
  last_seen: number | null;
}

export interface LogTable {
  channel_id: string;
  seq: number;
  id: string;
  type: string;
  sender_id: string;
  timestamp: number;
  message_id: string | null;
  client_message_id: string | null;
  /** The fingerprint of the params sent with client_message_id; null once the text was deleted. */
  fingerprint: string | null;
  /** The envelope as JSON, without its last field, the epoch; see stored-envelope.ts. */
  envelope: string;
  /**
   * The commit's mark, in the last row that the commit appends to a channel; null in all other rows. See changes.ts.
   */
  mark: number | null;
}

/** A row for each message of the log. The message's text is only in the log row at `text_seq`. */
export interface MessagesTable {
  channel_id: string;
  seq: number;
  id: string;
  sender_id: string;
  thread_id: string | null;
  text_seq: number;
  deleted_at: number | null;
  /**
   * The message's number among the channel's messages, deleted ones included, without gaps. Assigned under the
   * channel's lock.
   */
  ordinal: number;
  /** The message's number among its sender's messages in the channel. */
  sender_ordinal: number;
  /** The taint of the message's origin as a JSON array; null for none. */
  taint: string | null;
  /** The count of agents' turns outside of threads, as of this message; see turns.ts. */
  turns: string | null;
}

/** A deleted message whose edits may still hold its text in the log; see redactions.ts. */
export interface RedactionsTable {
  channel_id: string;
  message_id: string;
  /** The message without its text, as JSON. */
  message: string;
  /** The message's rows up to this seq are already redacted. */
  after_seq: number;
}

/** Only a channel whose log was trimmed or rewritten has a row. Others have floor 1 and no rewrites. */
export interface LogFloorsTable {
  channel_id: string;
  /** The lowest seq that readers get; head + 1 when they get none. */
  floor: number;
  /** The number of times that an erasure rewrote rows. Each rewrite makes copies of the rows outdated. */
  rewrites: number;
}

/** A row for each kind of sweep. The hubs share the work of a sweep, and one hub at a time continues it. */
export interface SweepsTable {
  name: string;
  /** This pass has finished all channels up to this id. For a sweep of inboxes, the id is an agent's. */
  after_id: string;
  /** When the next pass over all channels or agents begins. */
  due_at: number;
}

export interface ReactionsTable {
  message_id: string;
  emoji: string;
  agent_id: string;
  /** The seq of the event that added the reaction. Reactions are listed in the order of these seqs. */
  seq: number;
}

export interface ThreadsTable {
  channel_id: string;
  thread_id: string;
  title: string | null;
  created_by: string;
  created_at: number;
  /** Does not count deleted replies. */
  replies: number;
  /** The seq of the thread's last event: the thread's creation, a reply, or a change of the title. */
  last_seq: number;
  /** 0 while the thread exists only by its replies, without a thread.create event. */
  announced: number;
  /** See turns.ts. */
  turns: string | null;
}

export interface ThreadBudgetsTable {
  channel_id: string;
  thread_id: string;
  agent_turns: number | null;
  per_minute: number | null;
}

/** A thread's newest claim, held or ended. */
export interface ClaimsTable {
  channel_id: string;
  thread_id: string;
  agent_id: string;
  /** Rises by one with each grant. */
  fence: number;
  /** The end of the lease, in the database's time. */
  until_at: number;
  /** 1 when the claim's end is in the log. */
  released: number;
}

/** While a message grows, its text is in this row, because log rows are not rewritten; see streams.ts. */
export interface StreamsTable {
  message_id: string;
  channel_id: string;
  seq: number;
  agent_id: string;
  kind: AgentKind | null;
  text: string;
  /** The length in UTF-16 code units. */
  length: number;
  appended_at: number;
  /** The last time at which a hub had a connection of the author. */
  seen_at: number;
  /** 1 when the next sweep interrupts the message. */
  due: number;
}

/**
 * A message that asks some agents to do something. These agents accept, decline or finish the ask. Changed under the
 * lock of its channel.
 */
export interface AsksTable {
  id: string;
  channel_id: string;
  seq: number;
  /**
   * The thread that the ask's message is in, or else the thread that this message begins. An addressee's message in
   * this thread accepts the ask.
   */
  thread_id: string;
  sender_id: string;
  deadline_at: number;
  /**
   * The time at which the ask expires; null when no addressee is open. Retention may make the time earlier than the
   * deadline.
   */
  due_at: number | null;
}

/** An addressee of an ask. Some columns repeat columns of the ask, for the indexes. */
export interface AskAddresseesTable {
  ask_id: string;
  agent_id: string;
  position: number;
  thread_id: string;
  sender_id: string;
  state: AskState;
  note: string | null;
}

/** A question. Changed under the lock of its channel. */
export interface QuestionsTable {
  id: string;
  channel_id: string;
  /** The seq of the event that opened the question. */
  seq: number;
  thread_id: string | null;
  opened_by: string;
  title: string;
  /** A JSON array of ids and labels; empty when a text is asked for. */
  options: string;
  /** A JSON array; null when every person may answer. */
  responders: string | null;
  quorum: number;
  expires_at: number | null;
  /**
   * The time at which the question expires; null when it is not open or has no expiry. Retention may make the time
   * earlier.
   */
  due_at: number | null;
  state: QuestionState;
  option_id: string | null;
  text: string | null;
}

/** The newest answer of an agent to a question. */
export interface QuestionAnswersTable {
  question_id: string;
  agent_id: string;
  option_id: string | null;
  text: string | null;
  at: number;
}

export interface LedgerTable {
  channel_id: string;
  hour: number;
  /** Empty outside of threads. */
  thread_id: string;
  agent_id: string;
  turns: number;
  tokens_in: number;
  tokens_out: number;
  cost_micros: number;
  ms: number;
}

/** Stands for every member in a mention. No agent can have this id. */
export const everyone = '@all';

export interface MentionsTable {
  /** An agent, or {@link everyone}. */
  agent_id: string;
  channel_id: string;
  seq: number;
}

/**
 * An event that waits for the agent until the agent acknowledges it. The acknowledgement removes the row. Mentions have
 * a separate table: their counts depend on the read cursor, and no acknowledgement moves the cursor.
 */
export interface InboxTable {
  /**
   * The item's place. The database numbers items as they are written, under the lock of their channel. The items of one
   * channel are therefore in the order of their seqs.
   */
  id: Generated<number>;
  /** The agent, or {@link everyone} for a message that mentions everyone. */
  agent_id: string;
  channel_id: string;
  seq: number;
  /** The seq of the message's creation; for an event without a message, the seq of the event. */
  message_seq: number;
  reason: InboxReason;
  ask_id: string | null;
  question_id: string | null;
}

/** The number of a channel's items that newer items pushed out of an agent's full inbox. */
export interface InboxOverflowTable {
  agent_id: string;
  channel_id: string;
  items: number;
  /** The place of the newest item that fell out. */
  last_id: number;
}

export interface ReadCursorsTable {
  agent_id: string;
  channel_id: string;
  seq: number;
}

export interface FreezesTable {
  scope: FreezeScope;
  /** The channel or the agent; empty for the hub. */
  id: string;
  /** Empty after the agent that gave the reason was erased. */
  reason: string;
  set_by: string;
  set_at: number;
}

export interface HubsTable {
  id: string;
  beat_at: number;
  /** 1 while the hub cannot write to Redis. */
  cut_off: number;
  /** Figures of the last seconds, as a JSON object, or null. */
  figures: string | null;
}

/** See operations-minutes.ts. */
export interface OperationsMinutesTable {
  at: number;
  hub_id: string;
  figures: string;
}

/** A token (`jti`), or all tokens issued until `revoked_at` to an agent, by a minter, or to anyone (`all`). */
export interface RevokedTokensTable {
  kind: 'jti' | 'sub' | 'minter' | 'all';
  /** Empty for `all`. */
  value: string;
  revoked_at: number;
  touched: number;
  /** When the token of a `jti` expires; null while unknown, and for other kinds. */
  expires_at: number | null;
}

/** The token itself is stored nowhere. */
export interface MintedTokensTable {
  jti: string;
  sub: string;
  minter: string;
  kind: AgentKind | null;
  is_admin: number;
  /** The only channels that the token may use, as a JSON array; null if the token has no such limit. */
  channels: string | null;
  minted_at: number;
  expires_at: number;
  last_used_at: number | null;
}

export interface AgentOrdersTable {
  agent_id: string;
  kind: 'kick' | 'limit';
  value: string;
  given_at: number;
  /** Null: valid until another order of the same kind. */
  until_at: number | null;
}

/** See hub-agents.ts. */
export interface HubAgentsTable {
  agent_id: string;
  hub_id: string;
  connections: number;
  report: string | null;
}

export interface AuditLogTable {
  id: string;
  at: number;
  actor: string;
  action: string;
  target: string | null;
  /** A JSON object. */
  details: string;
  via: 'ws' | 'rest' | 'command';
  address: string | null;
  request_id: string | null;
  hub_id: string | null;
}

export interface MetaTable {
  name: string;
  value: string;
}

export interface Tables {
  channels: ChannelsTable;
  members: MembersTable;
  agents: AgentsTable;
  log: LogTable;
  messages: MessagesTable;
  redactions: RedactionsTable;
  log_floors: LogFloorsTable;
  sweeps: SweepsTable;
  reactions: ReactionsTable;
  threads: ThreadsTable;
  thread_budgets: ThreadBudgetsTable;
  claims: ClaimsTable;
  streams: StreamsTable;
  asks: AsksTable;
  ask_addressees: AskAddresseesTable;
  questions: QuestionsTable;
  question_answers: QuestionAnswersTable;
  ledger: LedgerTable;
  mentions: MentionsTable;
  inbox: InboxTable;
  inbox_overflow: InboxOverflowTable;
  read_cursors: ReadCursorsTable;
  freezes: FreezesTable;
  hubs: HubsTable;
  revoked_tokens: RevokedTokensTable;
  minted_tokens: MintedTokensTable;
  audit_log: AuditLogTable;
  agent_orders: AgentOrdersTable;
  hub_agents: HubAgentsTable;
  operations_minutes: OperationsMinutesTable;
  search_docs: SearchDocsTable;
  search_postings: SearchPostingsTable;
  search_segments: SearchSegmentsTable;
  search_fed: SearchFedTable;
  search_feed: SearchFeedTable;
  meta: MetaTable;
}
