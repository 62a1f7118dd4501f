// The entry `@openclaw/protocol/wire` has no zod, so that a client is small and loads fast.
export { announcementEvent, announcementOf, channelAnnouncement } from './announcements.ts';
export { channelChanges, isReservedName } from './announcements.ts';
export type { ChannelAnnouncement } from './announcements.ts';
export { closeCodes, encodeCloseReason, parseCloseReason, type CloseCode } from './close-codes.ts';
export { decodeEnvelope, encodeEnvelope, type EncodedEnvelope } from './codec.ts';
export {
  commonErrors,
  errorCodes,
  errorMeanings,
  refuse,
  refuseWith,
  rpcErrorCodes,
} from './errors.ts';
export type {
  ErrorCode,
  ParamIssue,
  Refusal,
  RefusalData,
  RefusalDetails,
  RpcError,
} from './errors.ts';
export type { RpcErrorCode } from './errors.ts';
export { isFreezeEvent, refuseFrozen } from './freezes.ts';
export { canonicalEmoji } from './emoji.ts';
export { eventTypes, isDurable, isEventType, type EventType } from './event-types.ts';
export type { JsonObject, JsonValue } from './json-object.ts';
export { limits } from './limits.ts';
export { decodeInboxCursor, encodeInboxCursor, type InboxPlace } from './inbox-cursor.ts';
export { inboxReasons, type InboxReason } from './inbox-reasons.ts';
export { decodeListCursor, encodeListCursor } from './list-cursor.ts';
export { decodeThreadCursor, encodeThreadCursor } from './list-cursor.ts';
export {
  countSearchWords,
  matchSearchTerms,
  parseSearchQuery,
  searchWords,
} from './search-words.ts';
export type { SearchTerm } from './search-words.ts';
export { appendedText, messageDeltaEvent } from './streams.ts';
export type { MessageDeltaPayload } from './streams.ts';
export { activeTurnStates, turnStateEvent, turnStates } from './turn-states.ts';
export type { TurnStateName, TurnStatePayload } from './turn-states.ts';
export { subprotocol, webSocketPath } from './web-socket.ts';
export {
  directChannelPrefix,
  idPattern,
  isContentTooLarge,
  isDirectChannelId,
  isId,
} from './text.ts';
export { isStorableText, utf8Bytes } from './text.ts';
export { parseMentions, resolveMentions } from './mentions.ts';
export type { MentionedName, ParsedMentions } from './mentions.ts';
