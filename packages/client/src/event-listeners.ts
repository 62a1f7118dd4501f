import {
  isDirectChannelId,
  isEventType,
  type Envelope,
  type EventOf,
  type EventType,
} from '@openclaw/protocol';
import { HubError } from './errors.ts';
import { createListeners, type Listeners } from './listeners.ts';

/** The envelope of one type's events. */
export type EnvelopeOf<T extends EventType> = Omit<Envelope, 'event'> & {
  readonly event: EventOf<T>;
};

/** A listener of one type's events. */
export type EventListener<T extends EventType> = (
  event: EventOf<T>,
  envelope: EnvelopeOf<T>,
) => void;

/** Listeners of events: of all, of a channel's, of a type's. An event costs nothing for those it does not concern. */
export interface EventListeners {
  readonly onAny: (listener: (envelope: Envelope) => void) => () => void;
  onType<T extends EventType>(type: T, listener: EventListener<T>): () => void;
  onChannel(channelId: string, listener: (envelope: Envelope) => void): () => void;
  /** Of every direct channel. */
  readonly onDirect: (listener: (envelope: Envelope) => void) => () => void;
  /** Of the whole hub. */
  readonly onGlobal: (
    listener: (envelope: EnvelopeOf<'collaboration.event'>) => void,
  ) => () => void;
  readonly emit: (envelope: Envelope) => void;
}

/** Calls a typed listener with an envelope that is of its type, and passes over any other. */
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

/** No listeners yet. */
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
      any.emit(envelope);
      if (byType.size > 0) byType.get(envelope.event.type)?.emit(envelope);
      if (byChannel.size > 0 && envelope.channelId !== null)
        byChannel.get(envelope.channelId)?.emit(envelope);
    },
  };
}
