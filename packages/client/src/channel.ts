import type { Envelope, EventType, JsonObject, ParamsInputOf, ResultOf } from '@openclaw/protocol';
import type { CallMethod, CallOptions } from './calls.ts';
import { ofType, type EventListener, type EventListeners } from './event-listeners.ts';
import { createEventStream } from './event-stream.ts';
import { readLogPage } from './log-page.ts';
import type { Discontinuity } from './resume.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { Subscribed } from './topic.ts';

type Rest<M extends Parameters<CallMethod>[0], K extends string = never> = Omit<
  ParamsInputOf<M>,
  'channelId' | K
>;

/**
 * One channel: the calls that name it, without naming it. Making one costs nothing and sends nothing. Each call takes
 * a signal and a timeout as its last argument, and rejects with a `HubError`.
 */
export interface HubChannel {
  readonly id: string;
  /**
   * Receives the channel's events from now on, or from the one after `since` (0 is the beginning); after a reconnect,
   * from the last one received. Resolves when live. With `since`, a channel that is subscribed already is a `conflict`.
   */
  subscribe(options?: {
    readonly since?: number;
    readonly signal?: AbortSignal;
  }): Promise<Subscribed>;
  unsubscribe(): Promise<void>;
  /**
   * The channel's events, each durable one once and in order; subscribes while it is read. A reader that is slower than
   * the channel gets what it has no room for from the log. Ends when this agent leaves or the channel is deleted;
   * throws when it is refused, and at `signal`.
   */
  events(options?: {
    readonly since?: number;
    readonly signal?: AbortSignal;
  }): AsyncIterableIterator<Envelope>;
  /** Calls the listener with each event of this channel, once it is subscribed. */
  on(name: 'event', listener: (envelope: Envelope) => void): () => void;
  /** Calls the listener when events of this channel were missed that will not come. */
  on(name: 'discontinuity', listener: (discontinuity: Discontinuity) => void): () => void;
  /** Calls the listener with each event of this type. */
  on<T extends EventType>(type: T, listener: EventListener<T>): () => void;

  /** Sends a message; repeated after a lost connection, it is stored once. */
  send(
    content: string,
    more?: Rest<'message.send', 'content'>,
    options?: CallOptions,
  ): Promise<ResultOf<'message.send'>>;
  /** Sends into the thread of a message, which becomes its root where there was none. */
  reply(
    to: { readonly id: string; readonly threadId: string | null },
    content: string,
    more?: Rest<'message.send', 'content' | 'threadId'>,
    options?: CallOptions,
  ): Promise<ResultOf<'message.send'>>;
  edit(
    messageId: string,
    content: string,
    options?: CallOptions,
  ): Promise<ResultOf<'message.edit'>>;
  /** Deletes a message. */
  delete(messageId: string, options?: CallOptions): Promise<ResultOf<'message.delete'>>;
  react(messageId: string, emoji: string, options?: CallOptions): Promise<ResultOf<'reaction.add'>>;
  unreact(
    messageId: string,
    emoji: string,
    options?: CallOptions,
  ): Promise<ResultOf<'reaction.remove'>>;
  history(
    page?: Rest<'message.history'>,
    options?: CallOptions,
  ): Promise<ResultOf<'message.history'>>;
  /** Pages the log itself, every kind of durable event. */
  log(page: Rest<'log.read'>, options?: CallOptions): Promise<ResultOf<'log.read'>>;

  get(options?: CallOptions): Promise<ResultOf<'channel.get'>>;
  update(
    changes: Rest<'channel.update'>,
    options?: CallOptions,
  ): Promise<ResultOf<'channel.update'>>;
  /** Makes the channel read-only, for good. */
  archive(options?: CallOptions): Promise<ResultOf<'channel.archive'>>;
  /** Deletes the channel with all it holds. */
  deleteChannel(options?: CallOptions): Promise<ResultOf<'channel.delete'>>;

  join(options?: CallOptions): Promise<ResultOf<'channel.join'>>;
  leave(options?: CallOptions): Promise<ResultOf<'channel.leave'>>;
  members(page?: Rest<'member.list'>, options?: CallOptions): Promise<ResultOf<'member.list'>>;
  addMember(
    agentId: string,
    more?: Rest<'member.add', 'agentId'>,
    options?: CallOptions,
  ): Promise<ResultOf<'member.add'>>;
  updateMember(
    agentId: string,
    changes: Rest<'member.update', 'agentId'>,
    options?: CallOptions,
  ): Promise<ResultOf<'member.update'>>;
  removeMember(agentId: string, options?: CallOptions): Promise<ResultOf<'member.remove'>>;

  presence(page?: Rest<'presence.list'>, options?: CallOptions): Promise<ResultOf<'presence.list'>>;
  startTyping(threadId?: string | null, options?: CallOptions): Promise<ResultOf<'typing.start'>>;
  stopTyping(threadId?: string | null, options?: CallOptions): Promise<ResultOf<'typing.stop'>>;
  typing(options?: CallOptions): Promise<ResultOf<'typing.list'>>;

  createThread(
    messageId: string,
    title?: string | null,
    options?: CallOptions,
  ): Promise<ResultOf<'thread.create'>>;
  updateThread(
    threadId: string,
    title: string | null,
    options?: CallOptions,
  ): Promise<ResultOf<'thread.update'>>;
  threads(page?: Rest<'thread.list'>, options?: CallOptions): Promise<ResultOf<'thread.list'>>;

  /** Emits an event of the caller's own naming. */
  emit(
    name: string,
    payload: JsonObject,
    options?: CallOptions,
  ): Promise<ResultOf<'collaboration.emit'>>;
  /** Says that the channel is read up to a seq; `readState()` of the client counts what is not. */
  markRead(seq: number, options?: CallOptions): Promise<ResultOf<'read.mark'>>;
}

/** What channels share of their client. */
export interface ChannelDeps {
  readonly call: CallMethod;
  readonly subscriptions: Subscriptions;
  readonly events: EventListeners;
  readonly streamMax: number;
  onDiscontinuity(listener: (discontinuity: Discontinuity) => void): () => void;
}

/** A channel of the client that `deps` belong to. */
export function createChannel(channelId: string, deps: ChannelDeps): HubChannel {
  const { call, subscriptions, streamMax } = deps;

  const onDiscontinuity = (listener: (discontinuity: Discontinuity) => void) =>
    deps.onDiscontinuity((discontinuity) => {
      if (discontinuity.channelId === channelId) listener(discontinuity);
    });

  return {
    id: channelId,
    subscribe: ({ since, signal } = {}) =>
      subscriptions.subscribe(channelId, since ?? null, signal),
    unsubscribe: () => subscriptions.unsubscribe(channelId),
    events: ({ since, signal } = {}) =>
      createEventStream({
        max: streamMax,
        signal,
        readLog: (after, over) => readLogPage(call, { channelId, after, max: streamMax }, over),
        start(reader) {
          const stop = subscriptions.read(channelId, since ?? null, reader);
          const offSkip = onDiscontinuity(() => reader.onSkip());
          return () => {
            offSkip();
            stop();
          };
        },
      }),
    on(name: string, listener: never) {
      if (name === 'discontinuity') return onDiscontinuity(listener);
      return deps.events.onChannel(
        channelId,
        name === 'event' ? listener : ofType(name as EventType, listener),
      );
    },

    send: (content, more, options) =>
      call('message.send', { ...more, channelId, content }, options),
    reply: ({ id, threadId }, content, more, options) =>
      call('message.send', { ...more, channelId, content, threadId: threadId ?? id }, options),
    edit: (messageId, content, options) =>
      call('message.edit', { channelId, messageId, content }, options),
    delete: (messageId, options) => call('message.delete', { channelId, messageId }, options),
    react: (messageId, emoji, options) =>
      call('reaction.add', { channelId, messageId, emoji }, options),
    unreact: (messageId, emoji, options) =>
      call('reaction.remove', { channelId, messageId, emoji }, options),
    history: (page, options) => call('message.history', { ...page, channelId }, options),
    log: (page, options) => call('log.read', { ...page, channelId }, options),

    get: (options) => call('channel.get', { channelId }, options),
    update: (changes, options) => call('channel.update', { ...changes, channelId }, options),
    archive: (options) => call('channel.archive', { channelId }, options),
    deleteChannel: (options) => call('channel.delete', { channelId }, options),

    join: (options) => call('channel.join', { channelId }, options),
    leave: (options) => call('channel.leave', { channelId }, options),
    members: (page, options) => call('member.list', { ...page, channelId }, options),
    addMember: (agentId, more, options) =>
      call('member.add', { ...more, channelId, agentId }, options),
    updateMember: (agentId, changes, options) =>
      call('member.update', { ...changes, channelId, agentId }, options),
    removeMember: (agentId, options) => call('member.remove', { channelId, agentId }, options),

    presence: (page, options) => call('presence.list', { ...page, channelId }, options),
    startTyping: (threadId, options) =>
      call('typing.start', { channelId, threadId: threadId ?? null }, options),
    stopTyping: (threadId, options) =>
      call('typing.stop', { channelId, threadId: threadId ?? null }, options),
    typing: (options) => call('typing.list', { channelId }, options),

    createThread: (messageId, title, options) =>
      call('thread.create', { channelId, messageId, title: title ?? null }, options),
    updateThread: (threadId, title, options) =>
      call('thread.update', { channelId, threadId, title }, options),
    threads: (page, options) => call('thread.list', { ...page, channelId }, options),

    emit: (name, payload, options) =>
      call('collaboration.emit', { channelId, name, payload }, options),
    markRead: (seq, options) => call('read.mark', { channelId, seq }, options),
  };
}
