import {
  decodeEnvelope,
  encodeEnvelope,
  type EncodedEnvelope,
  type Presence,
} from '@openclaw/protocol';

/**
 * Returns a presence event with only those presences that `keep` returns. If all are kept, this is the same event, not
 * encoded again; if none is kept, null. Any other event is returned unchanged.
 */
export function filterPresence(
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
