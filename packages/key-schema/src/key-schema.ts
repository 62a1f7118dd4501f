declare const redisKey: unique symbol;
declare const topicName: unique symbol;

/** Only this package makes Redis keys. */
export type RedisKey = string & { readonly [redisKey]: true };

/** Only this package makes topics and topic patterns. */
export type TopicName = string & { readonly [topicName]: true };

export type Topic =
  | { readonly kind: 'channel'; readonly channelId: string }
  | { readonly kind: 'agent'; readonly agentId: string }
  | { readonly kind: 'global' };

export interface RosterMember {
  readonly agentId: string;
  readonly hubId: string;
  readonly sessionId: string;
}

export class KeySchemaError extends Error {
  override readonly name = 'KeySchemaError';
  readonly code: 'invalid_id' | 'invalid_prefix';

  constructor(code: KeySchemaError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** True for an id that can be part of a name: 1 to 128 letters, digits and `._@|~-`, the first a letter or digit. */
export function isNameId(id: string): boolean {
  // A JavaScript caller may pass `undefined`, which as text would match the pattern.
  if (typeof id !== 'string') return false;
  // With a colon, the id could make the name of another key. With a brace, it could move the key to another Cluster
  // slot.
  return /^[A-Za-z0-9][A-Za-z0-9._@|~-]{0,127}$/.test(id);
}

/** @throws {KeySchemaError} `invalid_id` if the id cannot be part of a name */
export function checkId(id: string): string {
  if (isNameId(id)) return id;
  const text =
    typeof id === 'string' ? JSON.stringify(id).slice(0, 160) : `a value of type ${typeof id}`;
  throw new KeySchemaError('invalid_id', `not an id for a Redis name: ${text}`);
}

export interface KeySchemaOptions {
  /**
   * Begins every key and topic, for example `app:`. Must be empty, or end in a character that is neither a letter nor a
   * digit. Two systems on one Redis need different prefixes, because pub/sub ignores the database number and the
   * `keyPrefix` of ioredis.
   * @default 'openclaw:'
   */
  readonly prefix?: string;
  /**
   * Puts the id into braces, so that on Redis Cluster the keys and the topic of a channel share a slot.
   * @default false
   */
  readonly hashTags?: boolean;
}

/**
 * Makes every Redis name of OpenClaw; {@link keyTable} describes each. Each maker throws {@link KeySchemaError}
 * `invalid_id` for a bad id.
 */
export interface KeySchema {
  readonly prefix: string;
  readonly hashTags: boolean;
  channelTopic(channelId: string): TopicName;
  agentTopic(agentId: string): TopicName;
  readonly globalTopic: TopicName;
  /** A process publishes here to test its own subscription. */
  probeTopic(probeId: string): TopicName;
  /** The trace contexts of sampled events. */
  readonly traceTopic: TopicName;
  readonly channelPattern: TopicName;
  /** Null for a name that is neither the global topic nor the topic of a channel or an agent. */
  parseTopic(name: string): Topic | null;
  presence(channelId: string, agentId: string): RedisKey;
  roster(channelId: string): RedisKey;
  /** The same leases as in the roster, ordered by agent. */
  rosterAgents(channelId: string): RedisKey;
  typing(channelId: string): RedisKey;
  turns(channelId: string): RedisKey;
  turnStates(channelId: string): RedisKey;
  channel(channelId: string): RedisKey;
  channelMembers(channelId: string): RedisKey;
  recentMessages(channelId: string): RedisKey;
  sequence(channelId: string): RedisKey;
  latestEvents(): RedisKey;
  /** The id of the hub that wrote to the database last. */
  databaseHub(): RedisKey;
  cachedValue(name: string): RedisKey;
  /** The lease of the process that loads the value. */
  cachedValueLease(name: string): RedisKey;
  rateLimit(action: string, agentId: string): RedisKey;
  rateLimitWindow(action: string, agentId: string): RedisKey;
}

/**
 * @throws {KeySchemaError} `invalid_prefix` if the prefix has a space, a brace or one of `*?[]^\`, has over 64
 * characters, or ends in a letter or digit.
 */
export function createKeySchema(options: KeySchemaOptions = {}): KeySchema {
  const { prefix = 'openclaw:', hashTags = false } = options;
  if (typeof prefix !== 'string' || !/^[^\s{}*?[\]^\\]{0,64}$/.test(prefix)) {
    throw new KeySchemaError(
      'invalid_prefix',
      `not a valid prefix of Redis names: ${String(prefix).slice(0, 160)}`,
    );
  }
  if (/[\p{L}\p{N}]$/u.test(prefix)) {
    throw new KeySchemaError(
      'invalid_prefix',
      `the prefix ${prefix} needs a separator at its end: ${prefix}:`,
    );
  }

  const slot = hashTags ? (id: string) => `{${checkId(id)}}` : checkId;
  const key = (name: string) => `${prefix}${name}` as RedisKey;
  const topic = (name: string) => `${prefix}pubsub:${name}` as TopicName;

  const channelTopicStart = topic('channel:');
  const agentTopicStart = topic('agent:');
  const globalTopic = topic('global');
  const idAfter = (start: TopicName, name: string): string | null => {
    if (!name.startsWith(start)) return null;
    const tagged = name.slice(start.length);
    const id = hashTags ? /^\{(.*)\}$/.exec(tagged)?.[1] : tagged;
    return id !== undefined && isNameId(id) ? id : null;
  };

  return {
    prefix,
    hashTags,
    channelTopic: (channelId) => topic(`channel:${slot(channelId)}`),
    agentTopic: (agentId) => topic(`agent:${slot(agentId)}`),
    globalTopic,
    probeTopic: (probeId) => topic(`probe:${slot(probeId)}`),
    traceTopic: topic('trace'),
    channelPattern: topic('channel:*'),
    parseTopic(name) {
      if (name === globalTopic) return { kind: 'global' };
      const channelId = idAfter(channelTopicStart, name);
      if (channelId !== null) return { kind: 'channel', channelId };
      const agentId = idAfter(agentTopicStart, name);
      return agentId === null ? null : { kind: 'agent', agentId };
    },
    presence: (channelId, agentId) => key(`presence:${slot(channelId)}:${checkId(agentId)}`),
    roster: (channelId) => key(`roster:${slot(channelId)}`),
    rosterAgents: (channelId) => key(`roster:${slot(channelId)}:agents`),
    typing: (channelId) => key(`typing:${slot(channelId)}`),
    turns: (channelId) => key(`turns:${slot(channelId)}`),
    turnStates: (channelId) => key(`turns:${slot(channelId)}:states`),
    channel: (channelId) => key(`channel:${slot(channelId)}`),
    channelMembers: (channelId) => key(`channel:${slot(channelId)}:members`),
    recentMessages: (channelId) => key(`messages:${slot(channelId)}:recent`),
    sequence: (channelId) => key(`seq:messages:${slot(channelId)}`),
    latestEvents: () => key('log:latest'),
    databaseHub: () => key('hub:database'),
    cachedValue: (name) => key(`cache:${slot(name)}`),
    cachedValueLease: (name) => key(`cache:${slot(name)}:lease`),
    rateLimit: (action, agentId) => key(`ratelimit:${checkId(action)}:${slot(agentId)}`),
    rateLimitWindow: (action, agentId) =>
      key(`ratelimit:${checkId(action)}:${slot(agentId)}:window`),
  };
}

/** Returns `agentId:hubId:sessionId`. @throws {KeySchemaError} `invalid_id` */
export function encodeRosterMember({ agentId, hubId, sessionId }: RosterMember): string {
  return [agentId, hubId, sessionId].map(checkId).join(':');
}

/** Null for a text that {@link encodeRosterMember} cannot return. */
export function parseRosterMember(member: string): RosterMember | null {
  const parts = member.split(':');
  const [agentId, hubId, sessionId] = parts;
  if (parts.length !== 3 || !agentId || !hubId || !sessionId || !parts.every(isNameId)) return null;
  return { agentId, hubId, sessionId };
}
