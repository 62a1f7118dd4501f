import {
  decodeEnvelope,
  encodeEnvelope,
  type EncodedEnvelope,
  type Presence,
} from '@openclaw/protocol';

/**
 * Returns a presence event with only the presences that `keep` returns: the same object if these are all, null if none.
 * Any other event is returned unchanged.
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
