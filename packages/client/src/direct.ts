import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Envelope, EventType, ParamsInputOf, ResultOf } from '@openclaw/protocol';
import type { CallMethod, CallOptions } from './calls.ts';
import type { HubChannel } from './channel.ts';
import { HubError } from './errors.ts';
import { ofType, type EventListener, type EventListeners } from './event-listeners.ts';
import { createEventStream, type StreamReader } from './event-stream.ts';
import { readLogPage } from './log-page.ts';
import type { Discontinuity } from './resume.ts';

/**
 * The direct messages with one agent. Their events come without subscribing; the channel itself begins with the first
 * message.
 */
export interface HubDirect {
  /** The other one. */
  readonly agentId: string;
  /** Sends a message; repeated after a lost connection, it is stored once. */
  send(
    content: string,
    more?: Omit<ParamsInputOf<'direct.send'>, 'agentId' | 'content'>,
    options?: CallOptions,
  ): Promise<ResultOf<'direct.send'>>;
  /** As a channel's; empty where nothing was said yet. */
  history(
    page?: Omit<ParamsInputOf<'message.history'>, 'channelId'>,
    options?: CallOptions,
  ): Promise<ResultOf<'message.history'>>;
  /** The events from now on, each durable one once and in order, until the client is closed. */
  events(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<Envelope>;
  on(name: 'event', listener: (envelope: Envelope) => void): () => void;
  on<T extends EventType>(type: T, listener: EventListener<T>): () => void;
  /**
   * The channel behind it, for all else: edit, react, typing, markRead. Its id is made of both agentIds, so this waits
   * until the hub has told this one's.
   */
  channel(options?: CallOptions): Promise<HubChannel>;
}

/** What direct messages share of their client. */
export interface DirectDeps {
  readonly call: CallMethod;
  readonly events: EventListeners;
  readonly streamMax: number;
  /** This agent's id; null until a hub told it. */
  ownId(): string | null;
  ready(options: CallOptions): Promise<{ readonly agentId: string }>;
  channel(channelId: string): HubChannel;
  onDiscontinuity(listener: (discontinuity: Discontinuity) => void): () => void;
  /** Tells when and why the client closes. @throws {HubError} when it is closed */
  onEnd(listener: (error: HubError) => void): () => void;
}

/** The channelId of two agents' direct messages, whoever of them asks. */
export function directChannelId(one: string, other: string): string {
  const pair = one < other ? `${one}\n${other}` : `${other}\n${one}`;
  // Not WebCrypto's, which pages without TLS lack, and which answers later: an id is wanted at once.
  return `dm_${bytesToHex(sha256(utf8ToBytes(pair))).slice(0, 32)}`;
}

/** The direct messages between the client that `deps` belong to and one agent. */
export function createDirect(agentId: string, deps: DirectDeps): HubDirect {
  let known: { readonly ownId: string; readonly channelId: string } | null = null;

  function idWith(ownId: string): string {
    if (known?.ownId !== ownId) known = { ownId, channelId: directChannelId(ownId, agentId) };
    return known.channelId;
  }

  // Events come after a welcome alone, so that whose they are is known by then.
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
        if (isOurs(channelId)) reader.onSkip();
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
