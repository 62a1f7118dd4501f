import { randomUUID } from 'node:crypto';
import type { ChatStore } from '@openclaw/chat-store';
import {
  encodeEnvelope,
  type ChannelEvent,
  type EncodedEnvelope,
  type SenderKind,
} from '@openclaw/protocol';

/** The kind of an event's sender, as far as this hub knows it. */
export type KindOf = (senderId: string) => SenderKind | null;

/** Encodes events that are not logged. They carry no seq, and the epoch of their time. */
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
