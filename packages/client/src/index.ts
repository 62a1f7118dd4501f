export type { Call, CallMethod, CallOptions } from './calls.ts';
export type { HubChannel } from './channel.ts';
export { createClient } from './client.ts';
export type { ConnectionState, StateChange } from './connection.ts';
export { directChannelId } from './direct.ts';
export type { HubDirect } from './direct.ts';
export { HubError } from './errors.ts';
export type { HubErrorCode, HubErrorData } from './errors.ts';
export type { HubClient, HubClientEvents } from './hub-client.ts';
export type { Inbox, InboxOptions } from './inbox.ts';
export type { EnvelopeOf, EventListener, HubEventListener } from './listeners.ts';
export type { MessageStream } from './message-stream.ts';
export { clientDefaults } from './options.ts';
export type { ClientOptions, GetToken, WebSocketConstructor, WebSocketLike } from './options.ts';
export { createClientMessageId } from './repeatable-calls.ts';
export type { Discontinuity } from './resume.ts';
export type { EventCounters, Subscribed } from './topic.ts';
export type {
  Ask,
  Channel,
  Envelope,
  EventOf,
  EventType,
  HubEventName,
  HubEventPayload,
  InboxItem,
  Member,
  Message,
  Question,
} from '@openclaw/protocol';
export type { MethodName, ParamsInputOf, Presence, ResultOf } from '@openclaw/protocol';
export type { Thread, Welcome } from '@openclaw/protocol';
