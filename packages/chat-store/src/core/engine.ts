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
  /** Higher than every mark that this server has given. A restored backup may hold higher marks of another server. */
  readonly end: RawBuilder<number>;
  /** The number of transactions that began after the oldest open one. */
  readonly lag: RawBuilder<number>;
}

/** The parts that differ between SQLite and PostgreSQL. Everything else is written once, on Kysely. */
export interface Engine {
  readonly dialect: Dialect;
  /** For single statements. */
  readonly db: Kysely<Tables>;
  /** Reads that must agree with each other: all of them see the same commit. */
  snapshot<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** For small writes outside the groups. */
  write<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** Reads on the groups' connection before a group begins, so that it does not wait for other reads. */
  beforeGroup<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** Begins a transaction, locks the channels in the order of their ids, and reads the rows of `prefetch`. */
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
