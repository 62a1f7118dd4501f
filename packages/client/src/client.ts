import type {
  Envelope,
  MethodName,
  NotificationOf,
  ParamsInputOf,
  RpcError,
  Welcome,
} from '@openclaw/protocol';
import { createCalls, type CallMethod } from './calls.ts';
import { createChannel, type HubChannel } from './channel.ts';
import { createConnection, type ConnectionState, type StateChange } from './connection.ts';
import { HubError } from './errors.ts';
import { createListeners, type Listeners } from './listeners.ts';
import { resolveOptions, type ClientOptions } from './options.ts';
import type { EventCounters } from './ordering.ts';
import type { Discontinuity } from './resume.ts';
import { createSubscriptions } from './subscriptions.ts';
import { createWatchdog } from './watchdog.ts';

/** What a client's listeners get, by event name. */
export interface HubClientEvents {
  /** An event of a subscribed channel, of a direct channel, or of the whole hub (`channelId` null). */
  event: Envelope;
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
  /** Resolves when live; rejects with why the client closed, or at the signal. */
  ready(options?: { readonly signal?: AbortSignal }): Promise<Welcome>;
  /**
   * Calls a method. A call waits while there is no connection and is made again after a lost one, where that cannot do
   * a thing twice. @throws {HubError}
   */
  call: CallMethod;
  channel(channelId: string): HubChannel;
  /** Ends the connection, all calls and all streams, with `closed`. */
  close(): Promise<void>;
}

type Incoming = {
  readonly id?: unknown;
  readonly method?: keyof HubClientEvents | 'reconnect';
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
  const listeners: { readonly [N in keyof HubClientEvents]: Listeners<HubClientEvents[N]> } = {
    event: createListeners<Envelope>(),
    notice: createListeners<Envelope>(),
    discontinuity: createListeners<Discontinuity>(),
    state: createListeners<StateChange>(),
    welcome: createListeners<Welcome>(),
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
      emitEvent: listeners.event.emit,
      emitDiscontinuity: listeners.discontinuity.emit,
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
      listeners.state.emit(change);
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
        return listeners.notice.emit(message.params as Envelope);
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
    listeners.welcome.emit(next);
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

  return {
    get state() {
      return connection.state;
    },
    get welcome() {
      return welcome;
    },
    counters: subscriptions.counters,
    on: (name, listener) => listeners[name].on(listener),
    async ready({ signal } = {}) {
      signal?.throwIfAborted();
      if (connection.state === 'live' && welcome !== null) return welcome;
      if (connection.state === 'closed') throw closeReason;
      return new Promise((resolve, reject) => {
        const done = () => {
          offWelcome();
          offState();
          signal?.removeEventListener('abort', onAbort);
        };
        const onAbort = () => {
          done();
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's own reason
          reject(signal?.reason);
        };
        const offWelcome = listeners.welcome.on((value) => {
          done();
          resolve(value);
        });
        const offState = listeners.state.on(({ state }) => {
          if (state !== 'closed') return;
          done();
          reject(closeReason);
        });
        signal?.addEventListener('abort', onAbort);
      });
    },
    call,
    channel: (channelId) =>
      createChannel(channelId, {
        call,
        subscriptions,
        streamMax: resolved.streamMax,
        onEvent: listeners.event.on,
      }),
    close: () => connection.close(),
  };
}
