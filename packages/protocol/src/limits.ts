const kib = 1024;

// These limits are separate constants, so that a client's bundle does not need the whole table.
/** `limits.logPage`. */
export const logPageMax = 1000;
/** `limits.welcomeDirect`. */
export const welcomeDirectMax = 200;

/**
 * Every limit of the wire contract, with its reason. Bytes are UTF-8 bytes. Chars are UTF-16 code units, as
 * `String.length` counts them.
 */
export const limits = {
  /**
   * One frame from a client. Content at its limit with every byte escaped (`\u0001`) takes 192 KiB, so no valid call is
   * too large. A larger frame closes the socket with 4413.
   */
  frameBytes: 256 * kib,
  /** A message's content: a long report, but not a file. Beyond it: `too_large`. */
  contentBytes: 32 * kib,
  /** Calls in one JSON-RPC batch, which limits the work of one frame. */
  batch: 100,
  /** Subscribed channels of one connection, without direct channels; also the most in one call. */
  topics: 1000,
  /** Unanswered calls of one connection; further ones are `rate_limited`. */
  inFlight: 256,
  /** Events of one topic in a subscribe result. Beyond this number, paging the log is cheaper than one huge frame. */
  resumeEvents: 5000,
  /** The largest answer. A larger page ends early, with at least one row. */
  resumeBytes: 8 * kib * kib,
  historyPage: 200,
  defaultPage: 50,
  /** The largest page of `log.read`, and its default: a client that catches up needs few round trips. */
  logPage: logPageMax,
  /** How long a call may wait for an event. Most proxies end a request after 60 s without an answer. */
  waitMs: 50_000,
  /** Direct channels in `welcome`; `channel.list` pages the rest. */
  welcomeDirect: welcomeDirectMax,
  /** Presence is pushed in channels with at most this many present agents. In others, only `presence.list` shows it. */
  presencePush: 1000,
  /** Edits of one message: the log keeps each text until the message is deleted. */
  edits: 200,
  /**
   * Messages of one agent that grow at the same time. Hubs keep their texts in memory. A further message gets
   * `conflict`.
   */
  streams: 8,
  /** Metadata of a message or channel, as JSON: attributes, not content. */
  metadataBytes: 8 * kib,
  /** A collaboration event's payload, as JSON. */
  payloadBytes: 32 * kib,
  /** Levels of objects and arrays in metadata and payload, so that no parser exceeds its stack. */
  jsonDepth: 8,
  /** Agents mentioned by one message: each costs a publish. */
  mentions: 50,
  /** Agents that an ask or question may name: each costs a publish. */
  askAddressees: 50,
  /** The latest deadline of an ask and expiry of a question: a week. */
  deadlineMs: 604_800_000,
  /** A question's options, which a person sees as buttons. */
  options: 20,
  answerChars: 4_096,
  noteChars: 512,
  /** Causes of one message, including `replyTo`. Each is looked up. */
  causes: 16,
  ownTaints: 16,
  /** Taints of a message, including those of its causes. Beyond it: `too_large`. */
  taints: 32,
  /** One taint. Beyond it: `too_large`. */
  taintChars: 64,
  /** Each number in `turn` of a message's metadata. The limit keeps the ledger's sums exact. */
  turnFigure: 1_000_000_000_000,
  nameChars: 128,
  topicChars: 1024,
  budgetTurns: 1_000_000,
  reasonChars: 512,
  titleChars: 256,
  displayNameChars: 128,
  /** A custom status is short, because it is sent to everyone present. */
  customStatusChars: 128,
  turnLabelChars: 128,
  queueDepth: 1_000_000,
  /** An emoji, or a short address of a picture. */
  avatarChars: 256,
  /** An emoji with all its joiners, or a `:short_code:`. */
  emojiChars: 64,
  /** The sender's own id of a message, kept as long as the message. */
  clientMessageIdChars: 128,
  /** Unacknowledged items of one agent. Beyond this number, the oldest fall out and are counted. */
  inboxItems: 10_000,
  inboxLineChars: 120,
  inboxChars: 1_048_576,
  searchChars: 256,
  /** The words of a query. Each is looked up in the index. */
  searchWords: 16,
  /** The longest retention that a channel can ask for: a hundred years. */
  retentionMs: 3_155_760_000_000,
  maxMessages: 1_000_000_000,
  epochChars: 128,
} as const;
