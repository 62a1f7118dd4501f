import type { Envelope } from './envelope.ts';
import { type EventType, isDurable, isEventType } from './event-types.ts';
import { isId } from './text.ts';

export interface EncodedEnvelope {
  /** Begins with `{"id":"<id>",`, so that a process recognizes its own message without parsing. */
  readonly json: string;
  readonly id: string;
  readonly type: EventType;
  readonly channelId: string | null;
  readonly seq: number | null;
  readonly epoch: string;
  readonly senderId: string;
  readonly timestamp: number;
}

/** The fields are always in the same order. No schema checks them. */
export function encodeEnvelope(envelope: Envelope): EncodedEnvelope {
  const { id, event, timestamp, senderId, senderKind, channelId, seq, epoch } = envelope;
  const json = JSON.stringify({
    id,
    event,
    timestamp,
    senderId,
    senderKind,
    channelId,
    seq,
    epoch,
  });
  return { json, id, type: event.type, channelId, seq, epoch, senderId, timestamp };
}

/**
 * Null for a text that is no envelope. Checks the envelope's own fields and the event's type and channelId; the rest is
 * trusted, because only hubs write it. If the id is not first, `encoded.json` is encoded again.
 */
export function decodeEnvelope(
  json: string,
): { envelope: Envelope; encoded: EncodedEnvelope } | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return null;
  }
  if (!isEnvelope(value)) return null;
  if (!json.startsWith(`{"id":"${value.id}",`)) {
    return { envelope: value, encoded: encodeEnvelope(value) };
  }
  const { id, event, timestamp, senderId, channelId, seq, epoch } = value;
  const { type } = event;
  return {
    envelope: value,
    encoded: { json, id, type, channelId, seq, epoch, senderId, timestamp },
  };
}

function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null) return false;
  const { id, event, timestamp, senderId, channelId, seq, epoch } = value as Record<
    string,
    unknown
  >;
  if (typeof event !== 'object' || event === null) return false;
  const { type, channelId: eventChannelId, name } = event as Record<string, unknown>;
  return (
    isEventType(type) &&
    isId(id) &&
    isId(senderId) &&
    (isId(channelId) || (channelId === null && type === 'collaboration.event')) &&
    eventChannelId === channelId &&
    Number.isSafeInteger(timestamp) &&
    typeof epoch === 'string' &&
    epoch !== '' &&
    (isDurable(type, channelId, name)
      ? Number.isSafeInteger(seq) && (seq as number) > 0
      : seq === null)
  );
}
