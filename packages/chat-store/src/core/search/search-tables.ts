// Each message is a document with a number. Numbers rise above the first document for new messages, and fall below it
// for older ones. A segment is 4096 consecutive numbers. A posting lists the documents of one segment with one term.

/** The first document's number. Numbers above and below it stay safe integers for a long time. */
export const firstDoc = 2 ** 40;

export interface SearchDocsTable {
  doc: number;
  channel_id: string;
  seq: number;
}

/**
 * The documents of a segment that contain a term. Each piece of indexing adds rows with its own `part`. The sweep
 * merges these rows into part 0.
 */
export interface SearchPostingsTable {
  segment: number;
  /** A word, `#` with a channelId, or `@` with a sender's agentId. */
  term: string;
  part: number;
  docs: Uint8Array;
}

export interface SearchSegmentsTable {
  segment: number;
  oldest_at: number;
  newest_at: number;
  /** The sweeps that the segment needs: 0, 1, or 2 if an edit changed the segment during a sweep. */
  work: number;
  /** The sweep has merged the terms up to this one. */
  work_after: string;
}

/** Each row says up to which seq a channel's log is indexed. */
export interface SearchFedTable {
  channel_id: string;
  seq: number;
}

/** The table has one row. A hub locks it to feed the index, so only one hub feeds at a time. */
export interface SearchFeedTable {
  name: string;
  /** The epoch of `mark`; empty before the first piece. */
  epoch: string;
  /** Commits before this mark are indexed; a CommitMark as JSON. */
  mark: string;
  next_doc: number;
  first_doc: number;
  /** Counts the pieces of indexing. The postings of a piece get the number of the piece as their `part`. */
  part: number;
  /** After a restore, channels up to this id have been compared with the index; null when all have been. */
  check_after: string | null;
  /** Older messages that are not indexed have ids below this; null when none are left. */
  backfill_before: string | null;
}
