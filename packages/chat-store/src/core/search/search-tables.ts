// The index of messages for search. Each message is a document with a number. Numbers rise with the time of the
// messages: new messages get the next number above `next_doc`, and the messages from before the index got numbers
// downwards from it. 4096 consecutive numbers are a segment. A posting lists the documents of one segment that contain
// one term. So a search reads segment after segment, newest first, and needs a bounded number of rows for each,
// however common the word is.

/** The number of the first document that was indexed. Numbers above and below it are safe integers for a long time. */
export const firstDoc = 2 ** 40;

export interface SearchDocsTable {
  doc: number;
  channel_id: string;
  seq: number;
}

/**
 * The documents of a segment that contain a term. Several pieces of work may add rows with different `part`. The
 * sweep of the segment merges them into one row with part 0.
 */
export interface SearchPostingsTable {
  segment: number;
  /** A word, `#` with a channelId, or `@` with the agentId of a sender. */
  term: string;
  part: number;
  docs: Uint8Array;
}

export interface SearchSegmentsTable {
  segment: number;
  /** The earliest and the latest time of its messages. */
  oldest_at: number;
  newest_at: number;
  /**
   * 0: nothing to do; 1: its postings are to be swept; 2: they are to be swept again, because an edit changed the
   * segment during a sweep.
   */
  work: number;
  /** Terms up to this one are swept. */
  work_after: string;
}

/** The seq up to which a channel's log is indexed. */
export interface SearchFedTable {
  channel_id: string;
  seq: number;
}

/** The position of the feed, in one row. Hubs lock the row to feed the index one at a time. */
export interface SearchFeedTable {
  name: string;
  /** The epoch in which `mark` is valid; empty before the first piece. */
  epoch: string;
  /** Commits before this mark are indexed; a CommitMark as JSON. */
  mark: string;
  next_doc: number;
  /** The lowest number of a document. */
  first_doc: number;
  /** Counts pieces, for the parts of their postings. */
  part: number;
  /** Channels up to this one are compared with the index after a restore; null when all are. */
  check_after: string | null;
  /** The ids of older messages that are still to be indexed are below this one; null when none are left. */
  backfill_before: string | null;
}
