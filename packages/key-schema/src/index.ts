export { createKeySchema, encodeRosterMember, parseRosterMember } from './key-schema.ts';
export type { KeySchema, KeySchemaOptions } from './key-schema.ts';
export { keyTable } from './key-table.ts';
export type { KeyTableEntry } from './key-table.ts';
export { isNameId, KeySchemaError } from './names.ts';
export type { RedisKey, RosterMember, Topic, TopicName } from './names.ts';
export { recentMessagesMax, ttlMs } from './ttl.ts';
export type {
  CachedChannel,
  CachedMessage,
  KeyValues,
  LatestEvent,
  PresenceHash,
  PublishedEnvelope,
} from './values.ts';
