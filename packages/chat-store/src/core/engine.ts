import type { Kysely, RawBuilder } from 'kysely';
import type { ChatStoreError } from '../errors.ts';
import type { GroupRows, Prefetch, PrefetchedRows } from './group-statements.ts';
import type { ChannelWithHead, Tables } from './tables.ts';

export type Dialect = 'sqlite' | 'postgres';

export interface GroupOpening {
  readonly transaction: GroupTransaction;
  readonly nowMs: number;
  readonly mark: number;
  readonly epoch: string;
  readonly channels: readonly ChannelWithHead[];
  readonly prefetched: PrefetchedRows;
}

export interface GroupTransaction {
  readonly db: Kysely<Tables>;
  /** True on PostgreSQL; SQLite locks the whole database. */
  readonly locksRows: boolean;
  prefetched(prefetch: Prefetch): Promise<PrefetchedRows>;
  write(rows: GroupRows): Promise<void>;
  /** One round trip. */
  commit(rows: GroupRows): Promise<void>;
  /** Never rejects. */
  rollback(): Promise<void>;
}

export type Failure =
  /** The database failed: the whole group is refused. */
  | ChatStoreError
  /** A deadlock or serialization failure. Nothing was committed, so the group must run again. */
  | 'again'
  /** A row that the database refused, or a bug in this package. */
  | 'fault';

/** A statement sees all commits with marks below `next`, except the commits in `open`. */
export interface SeenMarks {
  readonly next: RawBuilder<number>;
  /** Transactions that have not ended, as the text of a JSON array. */
  readonly open: RawBuilder<string>;
  /** Every mark of this server is below this value. A restored backup may hold higher marks of another server. */
  readonly end: RawBuilder<number>;
  /** The number of transactions that began since the oldest open one. */
  readonly lag: RawBuilder<number>;
}

/** The differences between SQLite and PostgreSQL. Everything else is written once, on Kysely. */
export interface Engine {
  readonly dialect: Dialect;
  readonly db: Kysely<Tables>;
  /** All reads see the same commit. */
  snapshot<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** For small writes outside the groups. */
  write<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** Reads before a group begins. Uses the groups' connection, so that other reads do not delay the group. */
  beforeGroup<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** Begins a transaction, locks the channels in id order, and reads the rows of `prefetch`. */
  beginGroup(channelIds: readonly string[], prefetch: Prefetch): Promise<GroupOpening>;
  readonly sql: {
    readonly now: () => RawBuilder<number>;
    readonly mark: RawBuilder<number>;
    readonly seen: SeenMarks;
  };
  failureOf(error: unknown): Failure;
  close(): Promise<void>;
}
