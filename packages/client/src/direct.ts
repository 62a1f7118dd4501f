import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Envelope, EventType, HubEventName, ParamsInputOf } from '@openclaw/protocol';
import type { Call, CallOptions } from './calls.ts';
import type { ChannelDeps, HubChannel } from './channel.ts';
import { HubError } from './errors.ts';
import { createEventStream, readLogPage, type StreamReader } from './event-stream.ts';
import { ofType, type EventListener, type HubEventListener } from './listeners.ts';

/**
 * The direct messages with one agent. The first message creates the channel, and events arrive without a subscription.
 */
export interface HubDirect {
  readonly agentId: string;
  /** The message is stored once, even if the call is repeated after a lost connection. */
  readonly send: Call<
    'direct.send',
    [content: string, more?: Omit<ParamsInputOf<'direct.send'>, 'agentId' | 'content'>]
  >;
  /** Asks the agent for something within `deadlineMs`, as a channel's `ask` does. */
  readonly ask: Call<
    'ask.create',
    [
      content: string,
      deadlineMs: number,
      more?: Pick<ParamsInputOf<'ask.create'>, 'clientMessageId' | 'metadata'>,
    ]
  >;
  /** Empty before the first message. */
  readonly history: HubChannel['history'];
  /** Iterates over events from now on, until the client is closed. Each durable event comes once and in order. */
  events(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<Envelope>;
  on(name: 'event', listener: (envelope: Envelope) => void): () => void;
  on<T extends EventType>(type: T, listener: EventListener<T>): () => void;
  on<N extends HubEventName>(name: N, listener: HubEventListener<N>): () => void;
  /**
   * Resolves with the direct channel, for all other calls. The channel's id depends on both agentIds, so the promise
   * waits for the first welcome.
   */
  channel(options?: CallOptions): Promise<HubChannel>;
}

export interface DirectDeps extends Omit<ChannelDeps, 'subscriptions'> {
  /** Null before the first welcome. */
  ownId(): string | null;
  ready(options: CallOptions): Promise<{ readonly agentId: string }>;
  channel(channelId: string): HubChannel;
  /**
   * Calls the listener when the client ends.
   * @throws {HubError} when it is already closed
   */
  onEnd(listener: (error: HubError) => void): () => void;
}

/** The same for both orders of the two agents. */
export function directChannelId(one: string, other: string): string {
  const pair = one < other ? `${one}\n${other}` : `${other}\n${one}`;
  // WebCrypto is asynchronous, and pages without TLS lack it.
  return `dm_${bytesToHex(sha256(utf8ToBytes(pair))).slice(0, 32)}`;
}

export function createDirect(agentId: string, deps: DirectDeps): HubDirect {
  let known: { readonly ownId: string; readonly channelId: string } | null = null;

  function idWith(ownId: string): string {
    if (known?.ownId !== ownId) known = { ownId, channelId: directChannelId(ownId, agentId) };
    return known.channelId;
  }

  // Events arrive after a welcome, so this agent's id is known.
  const isOurs = (channelId: string | null) => {
    const ownId = deps.ownId();
    return ownId !== null && channelId === idWith(ownId);
  };
  const onEvent = (listener: (envelope: Envelope) => void) =>
    deps.events.onDirect((envelope) => {
      if (isOurs(envelope.channelId)) listener(envelope);
    });

  function start(reader: StreamReader) {
    const offs = [
      deps.onEnd((error) => reader.onEnd(error)),
      onEvent((envelope) => reader.onEvent(envelope)),
      deps.onDiscontinuity(({ channelId }) => {
        if (isOurs(channelId)) reader.onGap();
      }),
    ];
    return () => offs.forEach((off) => off());
  }

  async function readLog(after: number, signal: AbortSignal) {
    const { id } = await channel({ signal });
    return readLogPage(deps.call, { channelId: id, after, max: deps.streamMax }, signal);
  }

  async function channel(options: CallOptions = {}): Promise<HubChannel> {
    const ownId = deps.ownId() ?? (await deps.ready(options)).agentId;
    return deps.channel(idWith(ownId));
  }

  return {
    agentId,
    channel,
    send: (content, more, options) =>
      deps.call('direct.send', { ...more, agentId, content }, options),
    ask: (content, deadlineMs, more, options) =>
      deps.call('ask.create', { ...more, agentId, content, deadlineMs }, options),
    async history(page, options) {
      try {
        return await (await channel(options)).history(page, options);
      } catch (error) {
        if (!(error instanceof HubError) || error.code !== 'not_found') throw error;
        return { messages: [], head: 0, hasMore: false };
      }
    },
    events: ({ signal } = {}) => createEventStream({ max: deps.streamMax, signal, start, readLog }),
    on: (name: string, listener: never) =>
      onEvent(name === 'event' ? listener : ofType(name as EventType, listener)),
  };
}
