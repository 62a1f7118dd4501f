import type {
  Envelope,
  EventType,
  HubEventName,
  JsonObject,
  Message,
  MethodName,
  ParamsInputOf,
} from '@openclaw/protocol';
import type { Call, CallMethod, CallOptions } from './calls.ts';
import { createEventStream, readLogPage } from './event-stream.ts';
import { createGrowingTexts } from './growing-texts.ts';
import { createMessageStream, type MessageStream } from './message-stream.ts';
import {
  ofType,
  type EventListener,
  type EventListeners,
  type HubEventListener,
} from './listeners.ts';
import type { Discontinuity } from './resume.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { Subscribed } from './topic.ts';

type Rest<M extends MethodName, K extends string = never> = Omit<ParamsInputOf<M>, 'channelId' | K>;

/** One channel's calls and events. Creating it sends nothing. Calls reject with `HubError`. */
export interface HubChannel {
  readonly id: string;
  /**
   * Receives events from now on, or events after seq `since` (0 is the beginning). A reconnect resumes after the last
   * event. Resolves when live. Rejects with `conflict` if `since` is given and the channel is already subscribed.
   */
  subscribe(options?: {
    readonly since?: number;
    readonly signal?: AbortSignal;
  }): Promise<Subscribed>;
  unsubscribe(): Promise<void>;
  /**
   * Iterates over the channel's events, and subscribes to the channel until the loop ends. Each durable event comes
   * once and in order. A slow reader gets events past `streamMax` from the log. The loop ends when this agent leaves or
   * the channel is deleted. It throws when the hub refuses or `signal` aborts.
   */
  events(options?: {
    readonly since?: number;
    readonly signal?: AbortSignal;
  }): AsyncIterableIterator<Envelope>;
  /** Does not subscribe to the channel. */
  on(name: 'event', listener: (envelope: Envelope) => void): () => void;
  /** Reports missed events that will not be delivered. */
  on(name: 'discontinuity', listener: (discontinuity: Discontinuity) => void): () => void;
  on<T extends EventType>(type: T, listener: EventListener<T>): () => void;
  /** Listens to events of one name that only the hub emits, such as `ask.expired`. The listener gets the payload. */
  on<N extends HubEventName>(name: N, listener: HubEventListener<N>): () => void;

  /** The message is stored once, even if the call is repeated after a lost connection. */
  readonly send: Call<'message.send', [content: string, more?: Rest<'message.send', 'content'>]>;
  /** Replies in a message's thread. A message without a thread becomes the root of a new one. */
  readonly reply: Call<
    'message.send',
    [
      to: { readonly id: string; readonly threadId: string | null },
      content: string,
      more?: Rest<'message.send', 'content' | 'threadId'>,
    ]
  >;
  /**
   * Begins a growing message: `append` adds text, `finish` ends it. If this agent has no connection for 30 s, the hub
   * ends the message as `interrupted`. A later `finish` can still replace this end.
   */
  stream(
    more?: Rest<'message.send', 'content' | 'stream'> & { readonly content?: string },
    options?: CallOptions,
  ): Promise<MessageStream>;
  /**
   * Calls the listener with each growing message and its text so far, and once more at its end. Pass messages that were
   * read from the history as `known`, so that those which still grow are followed too. The caller subscribes to the
   * channel, not this method. Returns a function that stops the calls.
   */
  watchStreams(listener: (message: Message) => void, known?: readonly Message[]): () => void;
  readonly edit: Call<'message.edit', [messageId: string, content: string]>;
  readonly delete: Call<'message.delete', [messageId: string]>;
  readonly react: Call<'reaction.add', [messageId: string, emoji: string]>;
  readonly unreact: Call<'reaction.remove', [messageId: string, emoji: string]>;
  readonly message: Call<'message.get', [messageId: string]>;
  readonly history: Call<'message.history', [page?: Rest<'message.history'>]>;
  /** Newest first. A page may be short or empty while `nextCursor` is not null. */
  readonly search: Call<'message.search', [query: string, page?: Rest<'message.search', 'query'>]>;
  /**
   * Reads a page of the log: durable events of every type. With `waitMs`, the hub waits that long for an event, and the
   * call's timeout grows by `waitMs`.
   */
  readonly log: Call<'log.read', [page: Rest<'log.read'>]>;

  readonly get: Call<'channel.get', []>;
  readonly update: Call<'channel.update', [changes: Rest<'channel.update'>]>;
  /** Makes the channel read-only. */
  readonly archive: Call<'channel.archive', []>;
  /** Makes an archived channel writable again. */
  readonly unarchive: Call<'channel.unarchive', []>;
  /** Deletes the channel with its whole content. */
  readonly deleteChannel: Call<'channel.delete', []>;

  readonly join: Call<'channel.join', []>;
  readonly leave: Call<'channel.leave', []>;
  readonly members: Call<'member.list', [page?: Rest<'member.list'>]>;
  readonly addMember: Call<'member.add', [agentId: string, more?: Rest<'member.add', 'agentId'>]>;
  readonly updateMember: Call<
    'member.update',
    [agentId: string, changes: Rest<'member.update', 'agentId'>]
  >;
  readonly removeMember: Call<'member.remove', [agentId: string]>;

  readonly presence: Call<'presence.list', [page?: Rest<'presence.list'>]>;
  readonly startTyping: Call<'typing.start', [threadId?: string | null]>;
  readonly stopTyping: Call<'typing.stop', [threadId?: string | null]>;
  /** Lists who is typing in the thread; without `threadId`, in the whole channel. */
  readonly typing: Call<'typing.list', [threadId?: string | null]>;

  /** Shows for 30 s what this agent is doing; repeat it while the work lasts. `idle` or a lost connection ends it. */
  readonly setTurn: Call<'turn.set', [turn: Rest<'turn.set'>]>;
  readonly turns: Call<'turn.list', []>;

  readonly createThread: Call<'thread.create', [messageId: string, title?: string | null]>;
  readonly updateThread: Call<'thread.update', [threadId: string, title: string | null]>;
  readonly threads: Call<'thread.list', [page?: Rest<'thread.list'>]>;

  /**
   * Takes a thread for `leaseMs` (1 s to 10 minutes), or extends this agent's claim. Send the reply with the claim's
   * `fence`: the hub refuses the reply if another agent took over the thread.
   * @throws {HubError} `conflict` while another agent holds the thread: `data` has `holder` and `untilMs`
   */
  readonly claim: Call<'claim', [threadId: string, leaseMs: number]>;
  readonly releaseClaim: Call<'claim.release', [threadId: string]>;

  /**
   * Asks members for something within `deadlineMs` (1 s to a week). The result says who is connected. Each member
   * accepts, declines or is done. One event `ask.expired` names the members who did not react in time.
   * @throws {HubError} `not_found` when an addressee is no member: `data.agentIds`
   */
  readonly ask: Call<
    'ask.create',
    [
      to: readonly string[],
      content: string,
      deadlineMs: number,
      more?: Rest<'ask.create', 'to' | 'content' | 'deadlineMs' | 'agentId'>,
    ]
  >;

  /**
   * Asks the channel's persons, or the `responders`, to choose an option; without options, to write a text. The
   * question ends with the event `question.answered` when an option has `quorum` answers. Otherwise it ends at its
   * deadline with the event `question.expired`.
   */
  readonly question: Call<
    'question.open',
    [
      title: string,
      options?: readonly { readonly id: string; readonly label: string }[],
      more?: Rest<'question.open', 'title' | 'options'>,
    ]
  >;

  /**
   * Limits agents' messages in a row and per minute, in one thread, or in the channel outside of threads. Agents beyond
   * a limit are `paused`. After too many messages in a row, the pause lasts until a person writes. 0 means no limit,
   * and null the default. An absent limit stays as it is.
   */
  readonly setBudget: Call<'budget.set', [budget: Rest<'budget.set'>]>;
  readonly budget: Call<'budget.get', [threadId?: string | null]>;

  readonly emit: Call<'collaboration.emit', [name: string, payload: JsonObject]>;
  /**
   * Marks the channel as read up to a seq; `readState()` counts the messages after it. With `back: true` the mark may
   * go back.
   */
  readonly markRead: Call<'read.mark', [seq: number, more?: Rest<'read.mark', 'seq'>]>;
}

export interface ChannelDeps {
  readonly call: CallMethod;
  readonly subscriptions: Subscriptions;
  readonly events: EventListeners;
  readonly streamMax: number;
  onDiscontinuity(listener: (discontinuity: Discontinuity) => void): () => void;
}

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
          const off = onDiscontinuity(() => reader.onGap());
          return () => {
            off();
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
    async stream({ content = '', ...more } = {}, options) {
      const sent = { ...more, channelId, content, stream: true } as const;
      return createMessageStream(call, sent, await call('message.send', sent, options));
    },
    watchStreams(listener, known = []) {
      const texts = createGrowingTexts(
        listener,
        async (messageId) => (await call('message.get', { channelId, messageId })).message,
      );
      for (const message of known) texts.take(message);
      const off = deps.events.onChannel(channelId, (envelope) => texts.onEvent(envelope));
      return () => {
        off();
        texts.close();
      };
    },
    edit: (messageId, content, options) =>
      call('message.edit', { channelId, messageId, content }, options),
    delete: (messageId, options) => call('message.delete', { channelId, messageId }, options),
    react: (messageId, emoji, options) =>
      call('reaction.add', { channelId, messageId, emoji }, options),
    unreact: (messageId, emoji, options) =>
      call('reaction.remove', { channelId, messageId, emoji }, options),
    message: (messageId, options) => call('message.get', { channelId, messageId }, options),
    history: (page, options) => call('message.history', { ...page, channelId }, options),
    search: (query, page, options) =>
      call('message.search', { ...page, query, channelId }, options),
    log: (page, options) => call('log.read', { ...page, channelId }, options),

    get: (options) => call('channel.get', { channelId }, options),
    update: (changes, options) => call('channel.update', { ...changes, channelId }, options),
    archive: (options) => call('channel.archive', { channelId }, options),
    unarchive: (options) => call('channel.unarchive', { channelId }, options),
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
    typing: (threadId, options) =>
      call('typing.list', { channelId, threadId: threadId ?? null }, options),

    setTurn: (turn, options) => call('turn.set', { ...turn, channelId }, options),
    turns: (options) => call('turn.list', { channelId }, options),

    createThread: (messageId, title, options) =>
      call('thread.create', { channelId, messageId, title: title ?? null }, options),
    updateThread: (threadId, title, options) =>
      call('thread.update', { channelId, threadId, title }, options),
    threads: (page, options) => call('thread.list', { ...page, channelId }, options),

    claim: (threadId, leaseMs, options) => call('claim', { channelId, threadId, leaseMs }, options),
    releaseClaim: (threadId, options) => call('claim.release', { channelId, threadId }, options),

    ask: (to, content, deadlineMs, more, options) =>
      call('ask.create', { ...more, channelId, to: [...to], content, deadlineMs }, options),

    question: (title, choices, more, options) =>
      call('question.open', { ...more, channelId, title, options: [...(choices ?? [])] }, options),

    setBudget: (budget, options) => call('budget.set', { ...budget, channelId }, options),
    budget: (threadId, options) =>
      call('budget.get', { channelId, threadId: threadId ?? null }, options),

    emit: (name, payload, options) =>
      call('collaboration.emit', { channelId, name, payload }, options),
    markRead: (seq, more, options) => call('read.mark', { ...more, channelId, seq }, options),
  };
}
