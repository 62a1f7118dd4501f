import type {
  Envelope,
  EventType,
  MethodName,
  NotificationName,
  NotificationOf,
  ParamsInputOf,
  RpcError,
  Welcome,
} from '@openclaw/protocol';
import { createCalls, type CallMethod } from './calls.ts';
import { createChannel } from './channel.ts';
import { createConnection, type StateChange } from './connection.ts';
import { createDirect } from './direct.ts';
import { HubError } from './errors.ts';
import { createEventListeners } from './event-listeners.ts';
import type { HubClient } from './hub-client.ts';
import { createListeners } from './listeners.ts';
import { resolveOptions, type ClientOptions } from './options.ts';
import { untilReady } from './ready.ts';
import type { Discontinuity } from './resume.ts';
import { createSubscriptions } from './subscriptions.ts';
import { createWatchdog } from './watchdog.ts';

type Incoming = {
  readonly id?: unknown;
  readonly method?: NotificationName;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: RpcError;
};

// Made outside the client's cursors, a subscription would deliver what nobody follows.
const managed: ReadonlySet<MethodName> = new Set<MethodName>(['subscribe', 'unsubscribe']);

/** Connects to a hub at once, and stays connected until closed. @throws {HubError} `invalid`, naming a bad option */
export function createClient(options: ClientOptions): HubClient {
  const resolved = resolveOptions(options);
  const { parseFrame } = resolved;
  const events = createEventListeners();
  const notices = createListeners<Envelope>();
  const discontinuities = createListeners<Discontinuity>();
  const states = createListeners<StateChange>();
  const welcomes = createListeners<Welcome>();
  const listeners = {
    ...{ event: events.onAny, direct: events.onDirect, global: events.onGlobal },
    ...{ notice: notices.on, discontinuity: discontinuities.on },
    ...{ state: states.on, welcome: welcomes.on },
  };
  let welcome: Welcome | null = null;
  let lastPresence: ParamsInputOf<'presence.set'> | null = null;
  let closeReason = new HubError('closed', 'The client is closed');

  const calls = createCalls(resolved, (text) => connection.send(text));
  const { callNow } = calls;
  const watchdog = createWatchdog(callNow, (error) => connection.abandon(error));
  const subscriptions = createSubscriptions(
    {
      ask: calls.ask,
      emitEvent: events.emit,
      emitDiscontinuity: discontinuities.emit,
    },
    resolved,
  );
  const connection = createConnection(resolved, {
    onText(text) {
      watchdog.heard();
      let frame: unknown;
      try {
        frame = parseFrame(text);
      } catch (cause) {
        return connection.abandon(new HubError('disconnected', 'A frame is not JSON', { cause }));
      }
      if (!Array.isArray(frame)) return receive(frame as Incoming);
      for (let i = 0; i < frame.length; i += 1) receive(frame[i] as Incoming);
    },
    onLost(error) {
      watchdog.stop();
      subscriptions.onLost();
      calls.disconnected(error);
    },
    onState(change) {
      if (change.state === 'closed') end(change.error);
      states.emit(change);
    },
  });

  function receive(message: Incoming) {
    switch (message.method) {
      case 'event':
        return subscriptions.onEvent(message.params as Envelope);
      case undefined:
        return calls.settle(message.id, message.result, message.error);
      case 'welcome':
        return onWelcome(message.params as Welcome);
      case 'notice':
        return notices.emit(message.params as Envelope);
      case 'discontinuity':
        return subscriptions.onDiscontinuity(message.params as NotificationOf<'discontinuity'>);
      case 'reconnect':
        return connection.replace((message.params as NotificationOf<'reconnect'>).afterMs);
    }
  }

  function onWelcome(next: Welcome) {
    welcome = next;
    calls.connected(next.limits);
    watchdog.start(next.heartbeatMs);
    // What was missed is asked for before anything that waited is sent.
    subscriptions.onWelcome(next);
    if (lastPresence !== null) callNow('presence.set', lastPresence).catch(() => {});
    connection.welcomed();
    calls.resume();
    welcomes.emit(next);
  }

  function end(error: HubError | null) {
    if (error !== null) closeReason = error;
    watchdog.stop();
    subscriptions.close(closeReason);
    calls.close(closeReason);
  }

  const call: CallMethod = async (method, params, callOptions) => {
    if (managed.has(method)) {
      throw new HubError('invalid', `${method} is made by channel(id).${method}()`);
    }
    if (method === 'presence.set') lastPresence = params as ParamsInputOf<'presence.set'>;
    // What was subscribed before this call is to bring what the call does.
    subscriptions.flush();
    return calls.call(method, params, callOptions);
  };

  const ready: HubClient['ready'] = async (readyOptions = {}) => {
    readyOptions.signal?.throwIfAborted();
    if (connection.state === 'live' && welcome !== null) return welcome;
    if (connection.state === 'closed') throw closeReason;
    return untilReady({ onWelcome: welcomes.on, onEnd }, readyOptions);
  };

  function onEnd(listener: (error: HubError) => void) {
    if (connection.state === 'closed') throw closeReason;
    return states.on(({ state }) => {
      if (state === 'closed') listener(closeReason);
    });
  }

  const { streamMax } = resolved;
  const channelDeps = {
    ...{ call, subscriptions, events, streamMax },
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
      if (Object.hasOwn(listeners, name))
        return listeners[name as keyof typeof listeners](listener);
      return events.onType(name as EventType, listener);
    },
    ready,
    call,
    channel,
    direct: (agentId) => createDirect(agentId, directDeps),
    createChannel: (params, callOptions) => call('channel.create', params, callOptions),
    channels: (page, callOptions) => call('channel.list', page ?? {}, callOptions),
    setPresence: (presence, callOptions) => call('presence.set', presence, callOptions),
    readState: (callOptions) => call('read.state', {}, callOptions),
    emitGlobal: (name, payload, callOptions) =>
      call('collaboration.emit', { channelId: null, name, payload }, callOptions),
    close: () => connection.close(),
  };
}
