import type { Envelope, JsonObject, ParamsInputOf, ResultOf } from '@openclaw/protocol';
import type { CallMethod, CallOptions } from './calls.ts';
import { createEventStream } from './event-stream.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { Subscribed } from './topic.ts';

type Rest<M extends Parameters<CallMethod>[0], K extends string = never> = Omit<
  ParamsInputOf<M>,
  'channelId' | K
>;

/** One channel: the calls that name it, without naming it. Making one costs nothing and sends nothing. */
export interface HubChannel {
  readonly id: string;
  /**
   * Receives the channel's events from now on, or from the one after `since` (0 is the beginning); after a reconnect,
   * from the last one received. Resolves when live. With `since`, a channel that is subscribed already is a `conflict`.
   */
  subscribe(options?: { readonly since?: number }): Promise<Subscribed>;
  unsubscribe(): Promise<void>;
  /**
   * The channel's events, each durable one once and in order; subscribes while it is read. Ends when this agent leaves
   * or the channel is deleted; throws when it is refused, when the reader is too slow, or at `signal`.
   */
  events(options?: {
    readonly since?: number;
    readonly signal?: AbortSignal;
  }): AsyncIterableIterator<Envelope>;
  /** Calls the listener with each event of this channel, once it is subscribed. */
  on(name: 'event', listener: (envelope: Envelope) => void): () => void;
  /** Sends a message; repeated after a lost connection, it is stored once. */
  send(
    content: string,
    more?: Rest<'message.send', 'content'>,
    options?: CallOptions,
  ): Promise<ResultOf<'message.send'>>;
  edit(messageId: string, content: string): Promise<ResultOf<'message.edit'>>;
  delete(messageId: string): Promise<ResultOf<'message.delete'>>;
  react(messageId: string, emoji: string): Promise<ResultOf<'reaction.add'>>;
  unreact(messageId: string, emoji: string): Promise<ResultOf<'reaction.remove'>>;
  history(page?: Rest<'message.history'>): Promise<ResultOf<'message.history'>>;
  /** Pages the log itself, every kind of durable event. */
  log(page: Rest<'log.read'>): Promise<ResultOf<'log.read'>>;
  join(): Promise<ResultOf<'channel.join'>>;
  leave(): Promise<ResultOf<'channel.leave'>>;
  members(page?: Rest<'member.list'>): Promise<ResultOf<'member.list'>>;
  presence(page?: Rest<'presence.list'>): Promise<ResultOf<'presence.list'>>;
  startTyping(threadId?: string): Promise<ResultOf<'typing.start'>>;
  stopTyping(threadId?: string): Promise<ResultOf<'typing.stop'>>;
  typing(): Promise<ResultOf<'typing.list'>>;
  createThread(messageId: string, title?: string): Promise<ResultOf<'thread.create'>>;
  threads(page?: Rest<'thread.list'>): Promise<ResultOf<'thread.list'>>;
  /** Emits an event of the caller's own naming. */
  emit(name: string, payload: JsonObject): Promise<ResultOf<'collaboration.emit'>>;
  markRead(seq: number): Promise<ResultOf<'read.mark'>>;
}

/** What channels share of their client. */
export interface ChannelDeps {
  readonly call: CallMethod;
  readonly subscriptions: Subscriptions;
  readonly streamMax: number;
  onEvent(listener: (envelope: Envelope) => void): () => void;
}

/** A channel of the client that `deps` belong to. */
export function createChannel(channelId: string, deps: ChannelDeps): HubChannel {
  const { call, subscriptions, streamMax } = deps;
  return {
    id: channelId,
    subscribe: ({ since } = {}) => subscriptions.subscribe(channelId, since ?? null),
    unsubscribe: () => subscriptions.unsubscribe(channelId),
    events: ({ since, signal } = {}) =>
      createEventStream({
        max: streamMax,
        signal,
        start: (reader) => subscriptions.read(channelId, since ?? null, reader),
      }),
    on: (_name, listener) =>
      deps.onEvent((envelope) => {
        if (envelope.channelId === channelId) listener(envelope);
      }),
    send: (content, more, options) =>
      call('message.send', { ...more, channelId, content }, options),
    edit: (messageId, content) => call('message.edit', { channelId, messageId, content }),
    delete: (messageId) => call('message.delete', { channelId, messageId }),
    react: (messageId, emoji) => call('reaction.add', { channelId, messageId, emoji }),
    unreact: (messageId, emoji) => call('reaction.remove', { channelId, messageId, emoji }),
    history: (page) => call('message.history', { ...page, channelId }),
    log: (page) => call('log.read', { ...page, channelId }),
    join: () => call('channel.join', { channelId }),
    leave: () => call('channel.leave', { channelId }),
    members: (page) => call('member.list', { ...page, channelId }),
    presence: (page) => call('presence.list', { ...page, channelId }),
    startTyping: (threadId) => call('typing.start', { channelId, threadId: threadId ?? null }),
    stopTyping: (threadId) => call('typing.stop', { channelId, threadId: threadId ?? null }),
    typing: () => call('typing.list', { channelId }),
    createThread: (messageId, title) =>
      call('thread.create', { channelId, messageId, title: title ?? null }),
    threads: (page) => call('thread.list', { ...page, channelId }),
    emit: (name, payload) => call('collaboration.emit', { channelId, name, payload }),
    markRead: (seq) => call('read.mark', { channelId, seq }),
  };
}
