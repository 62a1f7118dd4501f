import {
  encodeEnvelope,
  type ChannelEvent,
  type EncodedEnvelope,
  type Envelope,
  type EventType,
} from '@openclaw/protocol';
import type { LogTable } from './tables.ts';

// An envelope's last field is its epoch, and the epoch is the database's, not the row's: when a backup is restored, all
// that it holds lives in the new epoch. So a row stores the text before that field, and reading adds the field.
/** The end of an envelope, after what its row stores. */
export const epochField = (epoch: string) => `,"epoch":${JSON.stringify(epoch)}}`;

/** Serializes an envelope once: for the wire, and the part of it that is stored. */
export function encodeForLog(envelope: Envelope): { encoded: EncodedEnvelope; stored: string } {
  const encoded = encodeEnvelope(envelope);
  return { encoded, stored: encoded.json.slice(0, -epochField(envelope.epoch).length) };
}

/** A log row's envelope, ready to be sent, without parsing it. */
export function envelopeOfRow(
  row: Pick<
    LogTable,
    'channel_id' | 'seq' | 'id' | 'type' | 'sender_id' | 'timestamp' | 'envelope'
  >,
  epoch: string,
): EncodedEnvelope {
  return {
    json: row.envelope + epochField(epoch),
    id: row.id,
    type: row.type as EventType,
    channelId: row.channel_id,
    seq: row.seq,
    epoch,
    senderId: row.sender_id,
    timestamp: row.timestamp,
  };
}

/** The event in a log row. */
export function eventOfRow(stored: string): ChannelEvent {
  return (JSON.parse(`${stored}}`) as { event: ChannelEvent }).event;
}

/** The same row with another event. */
export function storedWithEvent(stored: string, event: ChannelEvent): string {
  const envelope = JSON.parse(`${stored}}`) as Envelope;
  return JSON.stringify({ ...envelope, event }).slice(0, -1);
}
