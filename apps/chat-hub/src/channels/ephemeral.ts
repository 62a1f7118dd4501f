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

/** True for the new text of a message that grows. JSON escapes the quotes within a text, so no text matches. */
export function isDelta({ type, seq, json }: EncodedEnvelope): boolean {
  return type === 'collaboration.event' && seq === null && json.includes(deltaName);
}

/** Keeps some presences of a presence event. Returns null if none is left. Returns other events unchanged. */
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
