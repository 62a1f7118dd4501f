import type {
  Discontinuity as HubDiscontinuity,
  Envelope,
  EventType,
  MethodName,
  NotificationName,
  ParamsInputOf,
  Reconnect,
  RpcError,
  Welcome,
} from '@openclaw/protocol';
import { abortable } from './abortable.ts';
import { createCalls, type CallMethod } from './calls.ts';
import { createChannel } from './channel.ts';
import { createConnection, type StateChange } from './connection.ts';
import { createDirect } from './direct.ts';
import { HubError } from './errors.ts';
import type { HubClient } from './hub-client.ts';
import { createInbox } from './inbox.ts';
import { checkEnvelope, createEventListeners, createListeners } from './listeners.ts';
import { resolveOptions, type ClientOptions } from './options.ts';
import type { Discontinuity } from './resume.ts';
import { createSubscriptions } from './subscriptions.ts';

interface IncomingMessage {
  readonly id?: unknown;
  readonly method?: NotificationName;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: RpcError;
}

// `call` refuses these methods, because it would not record the channels' positions.
const channelMethods: ReadonlySet<MethodName> = new Set<MethodName>(['subscribe', 'unsubscribe']);

/** Connects at once, and stays connected until closed. @throws {HubError} `invalid`, with the bad option's name */
export function createClient(options: ClientOptions): HubClient {
  const resolved = resolveOptions(options);
  const events = createEventListeners();
  const notices = createListeners<Envelope>();
  const discontinuities = createListeners<Discontinuity>();
  const states = createListeners<StateChange>();
  const welcomes = createListeners<Welcome>();
  const listeners = {
    event: events.onAny,
    direct: events.onDirect,
    global: events.onGlobal,
    notice: notices.on,
    discontinuity: discontinuities.on,
    state: states.on,
    welcome: welcomes.on,
  };
  let welcome: Welcome | null = null;
  let lastPresence: ParamsInputOf<'presence.set'> | null = null;
  let closeReason = new HubError('closed', 'The client is closed');

  const calls = createCalls(resolved, (text) => connection.send(text));
  const { callOnThisConnection, callSync } = calls;
  const subscriptions = createSubscriptions(
    { callSync, emitEvent: events.emit, emitDiscontinuity: discontinuities.emit },
    resolved,
  );
  const connection = createConnection(resolved, {
    onText(text) {
      try {
        const frame = resolved.parseFrame(text);
        if (!Array.isArray(frame)) return receive(frame as IncomingMessage);
        for (let i = 0; i < frame.length; i += 1) receive(frame[i] as IncomingMessage);
      } catch (cause) {
        connection.abandon(new HubError('disconnected', 'A frame is malformed', { cause }));
      }
    },
    onLost(error) {
      subscriptions.onLost();
      calls.disconnected(error);
    },
    onState(change) {
      if (change.state === 'closed') end(change.error);
      states.emit(change);
    },
    ping: (timeoutMs) => callOnThisConnection('ping', {}, { timeoutMs }),
  });

  /** Frames are not checked against a schema. If a frame makes this code throw, the connection counts as lost. */
  function receive(message: IncomingMessage) {
    switch (message.method) {
      case 'event':
        return subscriptions.onEvent(message.params as Envelope);
      case undefined:
        return calls.settle(message.id, message.result, message.error);
      case 'welcome':
        return onWelcome(message.params as Welcome);
      case 'notice':
        checkEnvelope(message.params as Envelope);
        return notices.emit(message.params as Envelope);
      case 'discontinuity':
        return subscriptions.onDiscontinuity(message.params as HubDiscontinuity);
      case 'reconnect':
        return connection.replace((message.params as Reconnect).afterMs);
    }
  }

  function onWelcome(next: Welcome) {
    welcome = next;
    calls.connected(next.limits);
    // The client requests missed events before it sends the waiting calls.
    subscriptions.onWelcome(next);
    if (lastPresence !== null) callOnThisConnection('presence.set', lastPresence).catch(() => {});
    connection.welcomed(next.heartbeatMs);
    calls.resume();
    welcomes.emit(next);
  }

  function end(error: HubError | null) {
    if (error !== null) closeReason = error;
    subscriptions.close(closeReason);
    calls.close(closeReason);
  }

  const call: CallMethod = async (method, params, callOptions) => {
    if (channelMethods.has(method)) {
      throw new HubError('invalid', `Use channel(id).${method}() instead of call`);
    }
    if (method === 'presence.set') lastPresence = params as ParamsInputOf<'presence.set'>;
    // Waiting subscriptions are sent before the call, so that the client gets the events that the call causes.
    subscriptions.flush();
    return calls.call(method, params, callOptions);
  };

  const ready: HubClient['ready'] = async ({ signal, timeoutMs } = {}) => {
    signal?.throwIfAborted();
    if (connection.state === 'live' && welcome !== null) return welcome;
    return abortable(signal, (resolve, reject) => {
      const offs = [onEnd(reject), welcomes.on(resolve)];
      const onTimeout = () =>
        reject(new HubError('timeout', `No connection within ${timeoutMs} ms`));
      const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs);
      return () => {
        clearTimeout(timer);
        offs.forEach((off) => off());
      };
    });
  };

  function onEnd(listener: (error: HubError) => void) {
    if (connection.state === 'closed') throw closeReason;
    return states.on(({ state }) => {
      if (state === 'closed') listener(closeReason);
    });
  }

  const channelDeps = {
    call,
    subscriptions,
    events,
    streamMax: resolved.streamMax,
    onDiscontinuity: discontinuities.on,
  };
  const channel = (channelId: string) => createChannel(channelId, channelDeps);
  const directDeps = {
    ...channelDeps,
    ownId: () => welcome?.agentId ?? null,
    ready,
    channel,
    onEnd,
  };

  return {
    get state() {
      return connection.state;
    },
    get welcome() {
      return welcome;
    },
    counters: subscriptions.counters,
    on(name: string, listener: never) {
      if (!Object.hasOwn(listeners, name)) return events.onType(name as EventType, listener);
      return listeners[name as keyof typeof listeners](listener);
    },
    ready,
    call,
    channel,
    direct: (agentId) => createDirect(agentId, directDeps),
    createChannel: (params, callOptions) => call('channel.create', params, callOptions),
    channels: (page, callOptions) => call('channel.list', page ?? {}, callOptions),
    setPresence: (presence, callOptions) => call('presence.set', presence, callOptions),
    search: (params, callOptions) => call('message.search', params, callOptions),
    inbox: (inboxOptions) => createInbox(call, inboxOptions),
    readState: (callOptions) => call('read.state', {}, callOptions),
    asks: (query, callOptions) => call('ask.list', query ?? {}, callOptions),
    acceptAsk: (askId, note, callOptions) =>
      call('ask.accept', { askId, note: note ?? null }, callOptions),
    declineAsk: (askId, note, callOptions) =>
      call('ask.decline', { askId, note: note ?? null }, callOptions),
    finishAsk: (askId, note, callOptions) =>
      call('ask.done', { askId, note: note ?? null }, callOptions),
    questions: (query, callOptions) => call('question.list', query ?? {}, callOptions),
    answerQuestion: (questionId, answer, callOptions) =>
      call('question.answer', { ...answer, questionId }, callOptions),
    cancelQuestion: (questionId, callOptions) =>
      call('question.cancel', { questionId }, callOptions),
    ledger: (query, callOptions) => call('ledger.sum', query, callOptions),
    freeze: (params, callOptions) => call('freeze', params, callOptions),
    unfreeze: (params, callOptions) => call('unfreeze', params, callOptions),
    freezes: (callOptions) => call('freeze.list', {}, callOptions),
    emitGlobal: (name, payload, callOptions) =>
      call('collaboration.emit', { channelId: null, name, payload }, callOptions),
    close: () => connection.close(),
  };
}
