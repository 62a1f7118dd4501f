export {
  checkId,
  createKeySchema,
  encodeRosterMember,
  isNameId,
  KeySchemaError,
  parseRosterMember,
} from './key-schema.ts';
export type {
  KeySchema,
  KeySchemaOptions,
  RedisKey,
  RosterMember,
  Topic,
  TopicName,
} from './key-schema.ts';
export { keyTable, recentMessagesMax, ttlMs } from './key-table.ts';
export type { KeyTableEntry } from './key-table.ts';
export type {
  CachedChannel,
  CachedMessage,
  KeyValues,
  LatestEvent,
  PresenceHash,
  PublishedEnvelope,
} from './values.ts';
