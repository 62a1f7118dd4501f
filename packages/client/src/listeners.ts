import type { Envelope, EventOf, EventType } from '@openclaw/protocol';
import { isDirectChannelId, isEventType } from '@openclaw/protocol/wire';
import { HubError } from './errors.ts';

// As in a browser's event target, a listener that throws does not stop the others, and its error is still reported.
function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

type Listener<T> = (value: T) => void;

/** Called in the order of their registration. The same function may be registered twice. */
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

/** @throws {HubError} `invalid` for an unknown type */
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

/** Throws for a frame that is no envelope, because an error inside a listener could not be caught. */
export function checkEnvelope({ event, channelId }: Envelope): void {
  const isEnvelope =
    isEventType(event.type) && (channelId === null || typeof channelId === 'string');
  if (!isEnvelope) throw new TypeError('An event has no type or no channel');
}

export type EventListeners = ReturnType<typeof createEventListeners>;

/** Indexed, so that an event does not run listeners of other types or channels. */
export function createEventListeners() {
  const any = createListeners<Envelope>();
  const byType = new Map<EventType, EnvelopeListeners>();
  const byChannel = new Map<string, EnvelopeListeners>();
  return {
    onAny: any.on,
    onType: <T extends EventType>(type: T, listener: EventListener<T>) =>
      onKey(byType, type, ofType(type, listener)),
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
