import type {
  Envelope,
  EventOf,
  EventType,
  HubEventName,
  HubEventPayload,
} from '@openclaw/protocol';
import { isDirectChannelId, isEventType, isReservedName } from '@openclaw/protocol/wire';
import { HubError } from './errors.ts';

// As in a browser's event target, a listener that throws does not stop the others, and its error is still reported.
function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

type Listener<T> = (value: T) => void;

/** Listeners are called in the order of their registration. The same function may be registered twice. */
export function createListeners<T>() {
  // The array is replaced, never changed, so an emit in progress needs no copy.
  let listeners: readonly Listener<T>[] = [];
  return {
    get size() {
      return listeners.length;
    },
    on: (listener: Listener<T>) => {
      const own = (value: T) => listener(value);
      listeners = [...listeners, own];
      return () => {
        listeners = listeners.filter((other) => other !== own);
      };
    },
    emit: (value: T) => {
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

export type EnvelopeOf<T extends EventType> = Omit<Envelope, 'event'> & {
  readonly event: EventOf<T>;
};

export type EventListener<T extends EventType> = (
  event: EventOf<T>,
  envelope: EnvelopeOf<T>,
) => void;

/** Receives the payload of an event that only the hub emits, such as `ask.expired` or `question.answered`. */
export type HubEventListener<N extends HubEventName> = (
  payload: HubEventPayload<N>,
  envelope: EnvelopeOf<'collaboration.event'>,
) => void;

export type AnyEventListener = EventListener<EventType> | HubEventListener<HubEventName>;

/**
 * Turns a listener of one type, or of one event that only the hub emits, into a listener of all envelopes.
 * An unknown name with a reserved prefix gets no events.
 * @throws {HubError} `invalid` for any other unknown name
 */
export function ofType(
  name: EventType | HubEventName,
  listener: AnyEventListener,
): (envelope: Envelope) => void {
  const call = listener as (value: unknown, envelope: Envelope) => void;
  // Tests only the prefix, because a list of the names would cost every browser 200 bytes.
  if (isReservedName(name)) {
    return (envelope) => {
      const { event } = envelope;
      if (event.type === 'collaboration.event' && event.name === name)
        call(event.payload, envelope);
    };
  }
  if (!isEventType(name)) throw new HubError('invalid', `There is no event "${String(name)}"`);
  return (envelope) => {
    if (envelope.event.type === name) call(envelope.event, envelope);
  };
}

type EnvelopeListeners = ReturnType<typeof createListeners<Envelope>>;

function onKey<K>(
  lists: Map<K, EnvelopeListeners>,
  key: K,
  listener: Listener<Envelope>,
): () => void {
  const list = lists.get(key) ?? createListeners<Envelope>();
  lists.set(key, list);
  const off = list.on(listener);
  return () => {
    off();
    if (list.size === 0 && lists.get(key) === list) lists.delete(key);
  };
}

/**
 * Throws for a frame that is no envelope. Without this check, listeners could throw an error that the caller cannot
 * catch.
 */
export function checkEnvelope({ event, channelId }: Envelope): void {
  const isEnvelope =
    isEventType(event.type) && (channelId === null || typeof channelId === 'string');
  if (!isEnvelope) throw new TypeError('An event has no type or no channel');
}

export type EventListeners = ReturnType<typeof createEventListeners>;

/** Listeners are indexed by type and channel, so that an event does not run all of them. */
export function createEventListeners() {
  const any = createListeners<Envelope>();
  const byType = new Map<EventType, EnvelopeListeners>();
  const byChannel = new Map<string, EnvelopeListeners>();
  return {
    onAny: any.on,
    onType: (name: EventType | HubEventName, listener: AnyEventListener) =>
      onKey(byType, isReservedName(name) ? 'collaboration.event' : name, ofType(name, listener)),
    onChannel: (channelId: string, listener: Listener<Envelope>) =>
      onKey(byChannel, channelId, listener),
    onDirect: (listener: Listener<Envelope>) =>
      any.on((envelope) => {
        if (envelope.channelId !== null && isDirectChannelId(envelope.channelId))
          listener(envelope);
      }),
    /** Events without a channel go to every connection of the hub. */
    onGlobal: (listener: Listener<EnvelopeOf<'collaboration.event'>>) =>
      any.on((envelope) => {
        if (envelope.channelId === null) listener(envelope as EnvelopeOf<'collaboration.event'>);
      }),
    emit: (envelope: Envelope) => {
      checkEnvelope(envelope);
      any.emit(envelope);
      if (byType.size > 0) byType.get(envelope.event.type)?.emit(envelope);
      if (byChannel.size > 0 && envelope.channelId !== null)
        byChannel.get(envelope.channelId)?.emit(envelope);
    },
  };
}
