import type { Envelope, EventOf, EventType } from '@openclaw/protocol';
import { isDirectChannelId, isEventType } from '@openclaw/protocol/wire';
import { HubError } from './errors.ts';

/** Listeners of one kind of value. */
export interface Listeners<T> {
  /** Adds a listener for later values. The returned function removes it. */
  readonly on: (listener: (value: T) => void) => () => void;
  readonly emit: (value: T) => void;
  readonly size: number;
}

// Like a browser's event target: a listener that throws does not stop the others, and its error is still reported.
function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Calls listeners in the order of their registration. The same function may be registered twice. */
export function createListeners<T>(): Listeners<T> {
  // The array is replaced, never changed, so an emit in progress needs no copy.
  let listeners: readonly ((value: T) => void)[] = [];
  return {
    get size() {
      return listeners.length;
    },
    on(listener) {
      const own = (value: T) => listener(value);
      listeners = [...listeners, own];
      return () => {
        listeners = listeners.filter((other) => other !== own);
      };
    },
    emit(value) {
      const called = listeners;
      for (let i = 0; i < called.length; i += 1) {
        try {
          called[i]?.(value);
        } catch (error) {
          report(error);
        }
      }
    },
  };
}

/** The envelope of one type's events. */
export type EnvelopeOf<T extends EventType> = Omit<Envelope, 'event'> & {
  readonly event: EventOf<T>;
};

export type EventListener<T extends EventType> = (
  event: EventOf<T>,
  envelope: EnvelopeOf<T>,
) => void;

/** Listeners of events. An event is not slowed down by listeners of other types or channels. */
export interface EventListeners {
  readonly onAny: (listener: (envelope: Envelope) => void) => () => void;
  onType<T extends EventType>(type: T, listener: EventListener<T>): () => void;
  onChannel(channelId: string, listener: (envelope: Envelope) => void): () => void;
  /** Listens to every direct channel. */
  readonly onDirect: (listener: (envelope: Envelope) => void) => () => void;
  /** Listens to events without a channel, which go to every connection of the hub. */
  readonly onGlobal: (
    listener: (envelope: EnvelopeOf<'collaboration.event'>) => void,
  ) => () => void;
  readonly emit: (envelope: Envelope) => void;
}

/** Turns a listener of one type into a listener of all envelopes. @throws {HubError} `invalid` for an unknown type */
export function ofType<T extends EventType>(
  type: T,
  listener: EventListener<T>,
): (envelope: Envelope) => void {
  if (!isEventType(type)) throw new HubError('invalid', `There is no event "${String(type)}"`);
  return (envelope) => {
    if (envelope.event.type !== type) return;
    listener(envelope.event as EventOf<T>, envelope as EnvelopeOf<T>);
  };
}

function onKey<K>(
  lists: Map<K, Listeners<Envelope>>,
  key: K,
  listener: (envelope: Envelope) => void,
): () => void {
  const list = lists.get(key) ?? createListeners<Envelope>();
  lists.set(key, list);
  const off = list.on(listener);
  return () => {
    off();
    if (list.size === 0 && lists.get(key) === list) lists.delete(key);
  };
}

/** Throws for a frame that is not an envelope. Inside a listener the error could not be caught. */
export function checkEnvelope({ event, channelId }: Envelope): void {
  const isEnvelope =
    isEventType(event.type) && (channelId === null || typeof channelId === 'string');
  if (!isEnvelope) throw new TypeError('An event has no type or no channel');
}

export function createEventListeners(): EventListeners {
  const any = createListeners<Envelope>();
  const byType = new Map<EventType, Listeners<Envelope>>();
  const byChannel = new Map<string, Listeners<Envelope>>();
  return {
    onAny: any.on,
    onType: (type, listener) => onKey(byType, type, ofType(type, listener)),
    onChannel: (channelId, listener) => onKey(byChannel, channelId, listener),
    onDirect: (listener) =>
      any.on((envelope) => {
        if (envelope.channelId !== null && isDirectChannelId(envelope.channelId))
          listener(envelope);
      }),
    onGlobal: (listener) =>
      any.on((envelope) => {
        if (envelope.channelId === null) listener(envelope as EnvelopeOf<'collaboration.event'>);
      }),
    emit(envelope) {
      checkEnvelope(envelope);
      any.emit(envelope);
      if (byType.size > 0) byType.get(envelope.event.type)?.emit(envelope);
      if (byChannel.size > 0 && envelope.channelId !== null)
        byChannel.get(envelope.channelId)?.emit(envelope);
    },
  };
}
