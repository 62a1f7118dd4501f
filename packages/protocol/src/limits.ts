const kib = 1024;

/**
 * Every limit of the wire contract, with its reason. Bytes are UTF-8 bytes; chars are UTF-16 code units, as
 * `String.length` and JSON Schema's `maxLength` (nearly) count them.
 */
export const limits = {
  /**
   * One frame from a client. Content at its limit with every byte escaped (`\u0001`) is 192 KiB; with metadata and
   * mentions that still fits, so nothing allowed is ever refused for its spelling. A larger frame closes with 4413.
   */
  frameBytes: 256 * kib,
  /** A message's content: a long report of an agent, not a file. Over it: `too_large`. */
  contentBytes: 32 * kib,
  /** Calls in one JSON-RPC batch: bounds what one frame can start. */
  batch: 100,
  /** Channels that one connection subscribes to (its direct channels not counted), and the most in one call. */
  topics: 1000,
  /** Unanswered calls of one connection; beyond it the hub answers `rate_limited`. */
  inFlight: 256,
  /** Events of one topic in a subscribe result: beyond it, paging the log is cheaper for both than one huge frame. */
  resumeEvents: 5000,
  /** The largest answer. A page that would be larger ends early, with at least one row. */
  resumeBytes: 8 * kib * kib,
  /** The largest page of history and of every list. */
  historyPage: 200,
  /** A page when the caller does not say. */
  defaultPage: 50,
  /** The largest (and default) page of `log.read`: a client that catches up wants few round trips. */
  logPage: 1000,
  /** Direct channels named in `welcome`; the rest is paged by `channel.list`. */
  welcomeDirect: 200,
  /** Agents present in a channel up to which presence is pushed; past it a channel is only listed. */
  presencePush: 1000,
  /** Edits of one message: each keeps its text in the log, and deleting the message empties them all. */
  edits: 200,
  /** Metadata of a message or channel, as JSON: attributes, not a second content. */
  metadataBytes: 8 * kib,
  /** Payload of a collaboration event, as JSON: what a message may weigh. */
  payloadBytes: 32 * kib,
  /** Objects and arrays within each other in metadata and payload, the outermost counted: no parser's stack is at risk. */
  jsonDepth: 8,
  /** Agents mentioned by one message: each costs a publish on its own topic. */
  mentions: 50,
  /** Messages that one message may name as its causes, the one it replies to among them: each is looked up. */
  causes: 16,
  /** Taints that one message may add itself. */
  ownTaints: 16,
  /** Taints of a message, those of its causes included. Over it: `too_large`. */
  taints: 32,
  /** One taint: a label, not a text. Over it: `too_large`. */
  taintChars: 64,
  /** A channel's name and the name of a collaboration event. */
  nameChars: 128,
  /** A channel's topic: a few sentences. */
  topicChars: 1024,
  /** A thread's title. */
  titleChars: 256,
  /** A member's display name. */
  displayNameChars: 128,
  /** A custom status; it is repeated to everyone present. */
  customStatusChars: 128,
  /** An avatar: an emoji, or a short address of a picture. */
  avatarChars: 256,
  /** A reaction: an emoji with all its joiners, or a `:short_code:`. */
  emojiChars: 64,
  /** The sender's own id of a message, kept for as long as the message. */
  clientMessageIdChars: 128,
  /** An epoch. */
  epochChars: 128,
} as const;
