declare const redisKey: unique symbol;
declare const topicName: unique symbol;

/** A Redis key. Only this package makes one. */
export type RedisKey = string & { readonly [redisKey]: true };

/** A Redis pub/sub topic or topic pattern. Only this package makes one. */
export type TopicName = string & { readonly [topicName]: true };

/** The result of {@link KeySchema.parseTopic}. */
export type Topic =
  | { readonly kind: 'channel'; readonly channelId: string }
  | { readonly kind: 'agent'; readonly agentId: string }
  | { readonly kind: 'global' };

/** The lease of one connection in a roster. */
export interface RosterMember {
  readonly agentId: string;
  readonly hubId: string;
  readonly sessionId: string;
}

/** Thrown for an id that cannot be part of a name, and for an invalid prefix. */
export class KeySchemaError extends Error {
  override readonly name = 'KeySchemaError';
  readonly code: 'invalid_id' | 'invalid_prefix';

  constructor(code: 'invalid_id' | 'invalid_prefix', message: string) {
    super(message);
    this.code = code;
  }
}

// A colon could make the name of another key; a brace could move the key to another Cluster slot.
const idPattern = /^[A-Za-z0-9][A-Za-z0-9._@|~-]{0,127}$/;

/** True for an id that can be part of a name: letters, digits and `._@|~-`, 1 to 128 characters, the first a letter or digit. */
export function isNameId(id: string): boolean {
  return idPattern.test(id);
}
