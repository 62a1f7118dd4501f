import { randomUUID } from 'node:crypto';
import type { ChatStore } from '@openclaw/chat-store';
import {
  decodeEnvelope,
  encodeEnvelope,
  type ChannelEvent,
  type EncodedEnvelope,
  type Presence,
  type SenderKind,
} from '@openclaw/protocol';

export type KindOf = (senderId: string) => SenderKind | null;

/** The events carry no seq, only the database's current epoch. */
export function createEphemeralEncoder(store: Pick<ChatStore, 'epoch'>, kindOf: KindOf) {
  return (event: ChannelEvent, senderId: string, senderKind = kindOf(senderId)): EncodedEnvelope =>
    encodeEnvelope({
      id: randomUUID(),
      event,
      timestamp: Date.now(),
      senderId,
      senderKind,
      channelId: event.channelId,
      seq: null,
      epoch: store.epoch,
    });
}

export type EncodeEphemeral = ReturnType<typeof createEphemeralEncoder>;

const deltaName = '"name":"message.delta"';

/** True for an event that appends text to a growing message. No chat text can match: JSON escapes the quotes in it. */
export function isDelta({ type, seq, json }: EncodedEnvelope): boolean {
  return type === 'collaboration.event' && seq === null && json.includes(deltaName);
}

/**
 * Reduces a presence event to the presences that `keep` returns, or to null if there are none. Other events stay as
 * they are.
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
