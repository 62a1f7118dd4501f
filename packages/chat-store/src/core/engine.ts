import type { Kysely, RawBuilder } from 'kysely';
import type { ChatStoreError } from '../errors.ts';
import type {
  ChannelsTable,
  ChannelWithHead,
  LogTable,
  MembersTable,
  MessagesTable,
  Tables,
} from './tables.ts';

/** The look-ups needed before a group's messages can be decided. Each list costs one statement. */
export interface Prefetch {
  readonly members: readonly (readonly [channelId: string, agentId: string])[];
  readonly repeats: readonly (readonly [
    channelId: string,
    senderId: string,
    clientMessageId: string,
  ])[];
  /** Messages that are replied to or named as a cause, each with the agent that names it. */
  readonly messages: readonly (readonly [agentId: string, messageId: string])[];
  /** Senders by channel: the ordinals of their last messages number the next ones. */
  readonly senders: readonly (readonly [channelId: string, senderId: string])[];
}

export type PrefetchedMember = Pick<MembersTable, 'channel_id' | 'agent_id' | 'role'>;
export type PrefetchedRepeat = Pick<
  LogTable,
  | 'channel_id'
  | 'sender_id'
  | 'client_message_id'
  | 'seq'
  | 'message_id'
  | 'timestamp'
  | 'fingerprint'
>;
/** A message, its channel, and the role in that channel of the agent that names it. */
export type PrefetchedMessage = Pick<MessagesTable, 'id' | 'channel_id' | 'thread_id' | 'taint'> &
  Pick<ChannelsTable, 'kind' | 'archived_at' | 'deleted_at'> & {
    readonly agent_id: string;
    readonly role: MembersTable['role'] | null;
  };
/** The ordinals of the last message in a channel, and of the sender's last message there; 0 where there is none. */
export type PrefetchedSender = Pick<
  MessagesTable,
  'channel_id' | 'sender_id' | 'ordinal' | 'sender_ordinal'
>;

/** The answers to a {@link Prefetch}. Rows that were not found are absent. */
export interface PrefetchedRows {
  readonly members: readonly PrefetchedMember[];
  readonly repeats: readonly PrefetchedRepeat[];
  readonly messages: readonly PrefetchedMessage[];
  readonly senders: readonly PrefetchedSender[];
}

/** The further replies of one thread. */
export interface RepliesRow {
  readonly channel_id: string;
  readonly thread_id: string;
  /** The creator of the thread, used if these replies are its first. */
  readonly created_by: string;
  readonly created_at: number;
  count: number;
}

/** Rows that a group has decided but not yet written. */
export interface GroupRows {
  readonly log: readonly LogTable[];
  readonly messages: readonly Omit<MessagesTable, 'text_seq' | 'deleted_at'>[];
  readonly mentions: readonly { agent_id: string; channel_id: string; seq: number }[];
  readonly replies: readonly RepliesRow[];
  /** Agents that become known, ordered by id. */
  readonly agents: readonly string[];
}

/** The answers of a group's first round trip. The channels stay locked until the commit. */
export interface GroupOpening {
  readonly transaction: GroupTransaction;
  readonly nowMs: number;
  readonly mark: number;
  readonly epoch: string;
  readonly channels: readonly ChannelWithHead[];
  readonly prefetched: PrefetchedRows;
}

/** One group's transaction. */
export interface GroupTransaction {
  /** For commands that are decided one by one, statement by statement. */
  readonly db: Kysely<Tables>;
  /** True on PostgreSQL, where rows are locked one by one; SQLite locks the whole database. */
  readonly locksRows: boolean;
  prefetched(prefetch: Prefetch): Promise<PrefetchedRows>;
  write(rows: GroupRows): Promise<void>;
  /** Writes and commits in one round trip. */
  commit(rows: GroupRows): Promise<void>;
  /** Never rejects. */
  rollback(): Promise<void>;
}

/** The meaning of a failure for a group. */
export type Failure =
  /** An error of the database: the whole group is refused. */
  | ChatStoreError
  /** A deadlock or a serialization failure: nothing was committed, so the group must run again. */
  | 'again'
  /** A row that the database refused, or a bug in this package. */
  | 'fault';

/** The commits that one statement sees: all whose marks are below `next`, except those in `open`. */
export interface SeenMarks {
  readonly next: RawBuilder<number>;
  /** Transactions that have begun and not ended, as the text of a JSON array. */
  readonly open: RawBuilder<string>;
  /** Every mark of this server is below it. A restored backup may hold higher marks, from another server. */
  readonly end: RawBuilder<number>;
  /** How many transactions began since the oldest one that is open. */
  readonly lag: RawBuilder<number>;
}

/** The parts that differ between SQLite and PostgreSQL. Everything else is written once, on Kysely. */
export interface Engine {
  readonly dialect: 'sqlite' | 'postgres';
  /** Single statements. */
  readonly db: Kysely<Tables>;
  /** Reads that must agree with each other: all of them see the same commit. */
  snapshot<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** Small writes outside the groups. */
  write<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** Begins a transaction, locks the channels in id order and reads the rows of `prefetch`. */
  beginGroup(channelIds: readonly string[], prefetch: Prefetch): Promise<GroupOpening>;
  readonly sql: {
    /** The database's clock in ms. */
    readonly now: () => RawBuilder<number>;
    /** The mark of the running write transaction. */
    readonly mark: RawBuilder<number>;
    /** The marks that the running statement sees. */
    readonly seen: SeenMarks;
  };
  failureOf(error: unknown): Failure;
  close(): Promise<void>;
}
