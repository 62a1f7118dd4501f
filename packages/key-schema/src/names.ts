declare const redisKey: unique symbol;
declare const topicName: unique symbol;

/** A Redis key that this package made. Nothing else may spell one. */
export type RedisKey = string & { readonly [redisKey]: true };

/** A Redis pub/sub topic (or topic pattern) that this package made. */
export type TopicName = string & { readonly [topicName]: true };

/** What a topic is about; what {@link KeySchema.parseTopic} answers. */
export type Topic =
  | { readonly kind: 'channel'; readonly channelId: string }
  | { readonly kind: 'agent'; readonly agentId: string }
  | { readonly kind: 'global' };

/** One connection's lease in a channel's roster. */
export interface RosterMember {
  readonly agentId: string;
  readonly hubId: string;
  readonly sessionId: string;
}

/** Thrown for an id that may not stand in a name, and for a prefix that would break Cluster slots. */
export class KeySchemaError extends Error {
  override readonly name = 'KeySchemaError';
  readonly code: 'invalid_id' | 'invalid_prefix';

  constructor(code: 'invalid_id' | 'invalid_prefix', message: string) {
    super(message);
    this.code = code;
  }
}

// A colon would let one key name another; a brace would move a key to another Cluster slot.
const idPattern = /^[A-Za-z0-9][A-Za-z0-9._@|~-]{0,127}$/;

/** Whether `id` may stand in a name: letters, digits and `._@|~-`, 1 to 128 characters, the first a letter or digit. */
export function isNameId(id: string): boolean {
  return idPattern.test(id);
}
