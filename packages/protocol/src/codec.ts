import type { Envelope } from './envelope.ts';
import { type EventType, isDurable, isEventType } from './event-types.ts';
import { isId } from './id-rule.ts';

/** An envelope that was serialized once, with the fields that a hub routes by. */
export interface EncodedEnvelope {
  /** Begins with `{"id":"<id>",`, so that an echo is recognized without parsing. */
  readonly json: string;
  readonly id: string;
  readonly type: EventType;
  readonly channelId: string | null;
  readonly seq: number | null;
  readonly epoch: string;
  readonly senderId: string;
  readonly timestamp: number;
}

/** Serializes an envelope with its fields in a fixed order. Nothing is checked. */
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
 * Reads an envelope from a topic; null if the text is none. The check is structural and cheap: the envelope's own fields and
 * the event's type and channelId, not the event's other fields, which only hubs write. Text with its fields in another order
 * is encoded again, so that `encoded.json` always begins with the id.
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
  const { type, channelId: eventChannelId } = event as Record<string, unknown>;
  return (
    isEventType(type) &&
    isId(id) &&
    isId(senderId) &&
    (isId(channelId) || (channelId === null && type === 'collaboration.event')) &&
    eventChannelId === channelId &&
    Number.isSafeInteger(timestamp) &&
    typeof epoch === 'string' &&
    epoch !== '' &&
    (isDurable(type, channelId) ? Number.isSafeInteger(seq) && (seq as number) > 0 : seq === null)
  );
}
