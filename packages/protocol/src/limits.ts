const kib = 1024;

// Constants of their own, so that a bundle of a client does not need the whole table.
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
   * One frame from a client. Content at its limit with every byte escaped (`\u0001`) takes 192 KiB and fits with
   * metadata and mentions, so no valid call is too large. A larger frame closes the socket with 4413.
   */
  frameBytes: 256 * kib,
  /** A message's content: enough for a long report, but not for a file. Beyond it: `too_large`. */
  contentBytes: 32 * kib,
  /** Calls in one JSON-RPC batch. It limits the work that one frame can start. */
  batch: 100,
  /** Channels that one connection may subscribe to, without direct channels; also the most in one call. */
  topics: 1000,
  /** Unanswered calls of one connection; further ones are `rate_limited`. */
  inFlight: 256,
  /** Events of one topic in a subscribe result. For more events, paging the log is cheaper than one huge frame. */
  resumeEvents: 5000,
  /** The largest answer. A page that would be larger ends early, with at least one row. */
  resumeBytes: 8 * kib * kib,
  /** The largest page of history and of every list. */
  historyPage: 200,
  /** The size of a page when the caller names none. */
  defaultPage: 50,
  /** The largest page of `log.read`, which is also the default: a client that catches up needs few round trips. */
  logPage: logPageMax,
  /** How long a call may wait for an event. Most proxies end a request after 60 s without an answer. */
  waitMs: 50_000,
  /** Direct channels in `welcome`; `channel.list` pages the rest. */
  welcomeDirect: welcomeDirectMax,
  /**
   * Presence is pushed in a channel with at most this many present agents; beyond it, only `presence.list` shows
   * presence.
   */
  presencePush: 1000,
  /** Edits of one message: the log keeps the text of each until the message is deleted. */
  edits: 200,
  /** Growing messages of one agent at the same time; hubs keep their texts in memory. A further one gets `conflict`. */
  streams: 8,
  /** Metadata of a message or channel, as JSON. It is for attributes, not for content. */
  metadataBytes: 8 * kib,
  /** The payload of a collaboration event, as JSON: as much as a message's content. */
  payloadBytes: 32 * kib,
  /**
   * Levels of nested objects and arrays in metadata and payload, including the outermost, so that no parser exceeds its
   * stack.
   */
  jsonDepth: 8,
  /** Agents mentioned by one message: each costs a publish on its own topic. */
  mentions: 50,
  /** The most agents that an ask or a question may name; each is notified on its own topic. */
  askAddressees: 50,
  /** The latest deadline of an ask and expiry of a question: a week. */
  deadlineMs: 604_800_000,
  /** The options of a question: a person sees them as buttons. */
  options: 20,
  /** The text that answers a question. */
  answerChars: 4_096,
  /** The note of an answer to an ask. */
  noteChars: 512,
  /** Messages that one message may name as its causes, including the one it replies to. Each is looked up. */
  causes: 16,
  /** Taints that one message may add itself. */
  ownTaints: 16,
  /** Taints of a message, including those of its causes. Beyond it: `too_large`. */
  taints: 32,
  /** One taint is a label, not a text. Beyond it: `too_large`. */
  taintChars: 64,
  /** Each number of a turn in a message's metadata. The limit keeps the ledger's sums exact. */
  turnFigure: 1_000_000_000_000,
  /** A channel's name and the name of a collaboration event. */
  nameChars: 128,
  /** A channel's topic: a few sentences. */
  topicChars: 1024,
  /** Each figure of a budget. */
  budgetTurns: 1_000_000,
  /** The reason for a freeze. */
  reasonChars: 512,
  /** A thread's title. */
  titleChars: 256,
  /** A member's display name. */
  displayNameChars: 128,
  /** An agent's custom status; it is sent to everyone present. */
  customStatusChars: 128,
  /** The label of a turn: what the agent is doing, in a few words. */
  turnLabelChars: 128,
  /** Waiting turns that an agent reports. */
  queueDepth: 1_000_000,
  /** An avatar: an emoji, or a short address of a picture. */
  avatarChars: 256,
  /** A reaction: an emoji with all its joiners, or a `:short_code:`. */
  emojiChars: 64,
  /** The sender's own id of a message, kept for as long as the message. */
  clientMessageIdChars: 128,
  /** Unacknowledged items of one agent. Beyond the limit the oldest fall out, and are counted. */
  inboxItems: 10_000,
  /** The line that replaces an older item of an inbox. */
  inboxLineChars: 120,
  /** The most characters of text in one answer of an inbox. */
  inboxChars: 1_048_576,
  /** A query of a search. */
  searchChars: 256,
  /** The words of a query. Each is looked up in the index. */
  searchWords: 16,
  /** The longest retention that a channel can ask for: a hundred years. */
  retentionMs: 3_155_760_000_000,
  /** The most messages that a channel can ask to keep. */
  maxMessages: 1_000_000_000,
  /** The database's identity. */
  epochChars: 128,
} as const;
