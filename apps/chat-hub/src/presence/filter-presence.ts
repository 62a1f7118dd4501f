import {
  decodeEnvelope,
  encodeEnvelope,
  type EncodedEnvelope,
  type Presence,
} from '@openclaw/protocol';

/**
 * A presence event with those presences alone that `keep` returns of its own: the event itself, not encoded again, if
 * that is all of them, and null if there are none. Any other event stays as it is.
 */
export function narrowedPresence(
  encoded: EncodedEnvelope,
  keep: (presences: readonly Presence[]) => Presence[],
): EncodedEnvelope | null {
  const envelope = decodeEnvelope(encoded.json)?.envelope;
  if (envelope?.event.type !== 'channel.presence') return encoded;
  const { presences } = envelope.event;
  const kept = keep(presences);
  if (kept.length === presences.length) return encoded;
  if (kept.length === 0) return null;
  return encodeEnvelope({ ...envelope, event: { ...envelope.event, presences: kept } });
}
