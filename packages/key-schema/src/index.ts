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
export { keyLimits } from './key-limits.ts';
export type { KeyLimit } from './key-limits.ts';
export { parseKey } from './parse-key.ts';
export type { KeyKind, ParsedKey } from './parse-key.ts';
export type {
  CachedChannel,
  CachedMessage,
  KeyValues,
  LatestEvent,
  PresenceHash,
  PublishedEnvelope,
  TurnRecord,
} from './values.ts';
