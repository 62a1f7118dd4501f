import type {
  Envelope,
  EventType,
  JsonObject,
  ParamsInputOf,
  ResultOf,
  Welcome,
} from '@openclaw/protocol';
import type { CallMethod, CallOptions } from './calls.ts';
import type { HubChannel } from './channel.ts';
import type { ConnectionState, StateChange } from './connection.ts';
import type { HubDirect } from './direct.ts';
import type { EnvelopeOf, EventListener } from './event-listeners.ts';
import type { EventCounters } from './ordering.ts';
import type { Discontinuity } from './resume.ts';

/** What a client's listeners get, by event name. */
export interface HubClientEvents {
  /** An event of a subscribed channel, of a direct channel, or of the whole hub (`channelId` null). */
  event: Envelope;
  /** An event of a direct channel: those come without subscribing. */
  direct: Envelope;
  /** An event of the whole hub: at most once, and in no log. */
  global: EnvelopeOf<'collaboration.event'>;
  /** An event about this agent in a channel that is not subscribed: a mention, being added or removed. */
  notice: Envelope;
  /** Events were missed that will not come: read the channel's history anew. */
  discontinuity: Discontinuity;
  state: StateChange;
  /** The hub greeted a new connection. */
  welcome: Welcome;
}

/** A connection to the hub that outlives its sockets. */
export interface HubClient {
  readonly state: ConnectionState;
  /** Of the newest connection; null before the first. */
  readonly welcome: Welcome | null;
  readonly counters: EventCounters;
  /** Adds a listener; the returned function removes it. */
  on<N extends keyof HubClientEvents>(
    name: N,
    listener: (value: HubClientEvents[N]) => void,
  ): () => void;
  /** Adds a listener of one type's events: what `event` gets of that type. */
  on<T extends EventType>(type: T, listener: EventListener<T>): () => void;
  /** Resolves when live; rejects with why the client closed, with `timeout` where one is given, or at the signal. */
  ready(options?: CallOptions): Promise<Welcome>;
  /**
   * Calls a method. A call waits while there is no connection and is made again after a lost one, where that cannot do
   * a thing twice. @throws {HubError}
   */
  call: CallMethod;
  channel(channelId: string): HubChannel;
  /** The direct messages with one agent. */
  direct(agentId: string): HubDirect;

  /** Makes a channel, of which this agent is the owner and first member. With a channelId a lost call is repeated. */
  createChannel(
    params: ParamsInputOf<'channel.create'>,
    options?: CallOptions,
  ): Promise<ResultOf<'channel.create'>>;
  /** Lists the channels that this agent may see. */
  channels(
    page?: ParamsInputOf<'channel.list'>,
    options?: CallOptions,
  ): Promise<ResultOf<'channel.list'>>;
  /** States this agent's whole presence, and again on each new connection. */
  setPresence(
    presence: ParamsInputOf<'presence.set'>,
    options?: CallOptions,
  ): Promise<ResultOf<'presence.set'>>;
  /** Counts what is unread in each of this agent's channels, mentions apart. */
  readState(options?: CallOptions): Promise<ResultOf<'read.state'>>;
  /** Emits an event to every connection of the hub; admins only. A lost call is not repeated. */
  emitGlobal(
    name: string,
    payload: JsonObject,
    options?: CallOptions,
  ): Promise<ResultOf<'collaboration.emit'>>;
  /** Ends the connection, all calls and all streams, with `closed`. */
  close(): Promise<void>;
}
