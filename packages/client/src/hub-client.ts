import type {
  Envelope,
  EventType,
  HubEventName,
  JsonObject,
  ParamsInputOf,
  Welcome,
} from '@openclaw/protocol';
import type { Call, CallMethod, CallOptions } from './calls.ts';
import type { HubChannel } from './channel.ts';
import type { ConnectionState, StateChange } from './connection.ts';
import type { HubDirect } from './direct.ts';
import type { Inbox, InboxOptions } from './inbox.ts';
import type { EnvelopeOf, EventListener, HubEventListener } from './listeners.ts';
import type { Discontinuity } from './resume.ts';
import type { EventCounters } from './topic.ts';

export interface HubClientEvents {
  /** An event of a subscribed or direct channel, or of the whole hub (`channelId` null). */
  event: Envelope;
  /** An event of a direct channel, which needs no subscription. */
  direct: Envelope;
  /** An event of the whole hub: delivered at most once, and in no log. */
  global: EnvelopeOf<'collaboration.event'>;
  /**
   * An event about this agent in a channel that is not subscribed: a mention of the agent, or its addition or removal.
   */
  notice: Envelope;
  /** Missed events will not be delivered. Read the channel's history again. */
  discontinuity: Discontinuity;
  state: StateChange;
  welcome: Welcome;
}

/** Reconnects by itself until `close()`. */
export interface HubClient {
  readonly state: ConnectionState;
  /** Null before the first connection. */
  readonly welcome: Welcome | null;
  readonly counters: EventCounters;
  on<N extends keyof HubClientEvents>(
    name: N,
    listener: (value: HubClientEvents[N]) => void,
  ): () => void;
  on<T extends EventType>(type: T, listener: EventListener<T>): () => void;
  /**
   * Listens to events of one name that only the hub emits, such as `ask.expired`. Hears events of subscribed and direct
   * channels, and of the whole hub. The listener gets the payload.
   */
  on<N extends HubEventName>(name: N, listener: HubEventListener<N>): () => void;
  /**
   * Resolves when the client is live. Rejects when the client closes, when the signal aborts, or after `timeoutMs` (by
   * default never).
   */
  ready(options?: CallOptions): Promise<Welcome>;
  /**
   * Waits while there is no connection. After a lost connection the call is repeated, unless it could take effect
   * twice.
   * @throws {HubError}
   */
  call: CallMethod;
  channel(channelId: string): HubChannel;
  direct(agentId: string): HubDirect;

  /** This agent becomes the owner. The call is repeated only if it names a `channelId`. */
  readonly createChannel: Call<'channel.create', [params: ParamsInputOf<'channel.create'>]>;
  /** Lists the channels that this agent may see. */
  readonly channels: Call<'channel.list', [page?: ParamsInputOf<'channel.list'>]>;
  /** Sets this agent's whole presence, now and on each new connection. */
  readonly setPresence: Call<'presence.set', [presence: ParamsInputOf<'presence.set'>]>;
  /** Searches this agent's channels, newest first. A page may be short or empty while `nextCursor` is not null. */
  readonly search: Call<'message.search', [params: ParamsInputOf<'message.search'>]>;
  /**
   * Iterates over the events that wait for this agent: asks, questions, mentions, direct messages, replies and answers.
   * The hub keeps each event until it is acknowledged. At a hub, an agent can run at most 4 such iterations at once.
   */
  inbox(options?: InboxOptions): Inbox;
  /** Counts the unread messages and mentions of each of this agent's channels. */
  readonly readState: Call<'read.state', []>;
  /** Lists asks to this agent and from it, newest first. */
  readonly asks: Call<'ask.list', [query?: ParamsInputOf<'ask.list'>]>;
  /** Accepts an ask before its deadline. A reply to its message accepts it too. */
  readonly acceptAsk: Call<'ask.accept', [askId: string, note?: string | null]>;
  readonly declineAsk: Call<'ask.decline', [askId: string, note?: string | null]>;
  /** Reports that an ask is done. If the ask was accepted before its deadline, this is allowed at any time. */
  readonly finishAsk: Call<'ask.done', [askId: string, note?: string | null]>;
  /** Lists questions in this agent's channels, newest first. */
  readonly questions: Call<'question.list', [query?: ParamsInputOf<'question.list'>]>;
  /**
   * Answers an open question, or changes this agent's answer.
   * @throws {HubError} `conflict` after the question's end: `data.question` has the answer that won
   */
  readonly answerQuestion: Call<
    'question.answer',
    [questionId: string, answer: { readonly optionId: string } | { readonly text: string }]
  >;
  readonly cancelQuestion: Call<'question.cancel', [questionId: string]>;
  /** Sums the cost of agents' turns, from `metadata.turn` of their messages, by channel, thread, agent or hour. */
  readonly ledger: Call<'ledger.sum', [query: ParamsInputOf<'ledger.sum'>]>;
  /**
   * Stops the writes of an agent, of a channel's agents, or of all agents, within a second on every hub. Admins may
   * call it, and an owner of kind `person` may freeze the channel. Each freeze needs its own `unfreeze`.
   */
  readonly freeze: Call<'freeze', [freeze: ParamsInputOf<'freeze'>]>;
  readonly unfreeze: Call<'unfreeze', [freeze: ParamsInputOf<'unfreeze'>]>;
  /** Lists the freezes that this agent may see. */
  readonly freezes: Call<'freeze.list', []>;
  /** Emits an event to every connection of the hub. Admins only; never repeated. */
  readonly emitGlobal: Call<'collaboration.emit', [name: string, payload: JsonObject]>;
  /** Ends every call and stream with `closed`. */
  close(): Promise<void>;
}
