import {
  encodeEnvelope,
  type ChannelEvent,
  type EncodedEnvelope,
  type Envelope,
  type EventType,
  type Message,
} from '@openclaw/protocol';
import type { LogTable } from './tables.ts';

const afterEvent = '},"timestamp":';
const senderKindField = ',"senderKind":';

/**
 * A log row's text with the fields that events have today. A row that an earlier release wrote lacks those of its sender's
 * kind: they are filled in here, since rewriting millions of rows would hold up the upgrade.
 */
export function inPresentShape(stored: string): string {
  // Only the envelope's own fields come after the event. Ids and numbers, they never hold that text by chance.
  if (stored.includes(senderKindField, stored.lastIndexOf(afterEvent))) return stored;
  const { event, ...rest } = JSON.parse(`${stored}}`) as Envelope;
  const envelope = { ...rest, senderKind: null, event: eventInPresentShape(event), epoch: '' };
  return encodeForLog(envelope).stored;
}

/** A message that an earlier release may have written, with the fields that messages have today. */
export function messageInPresentShape(message: Message): Message {
  const { id, channelId, seq, senderId, ...others } = message;
  const added = { senderKind: null, state: 'complete' as const };
  return { id, channelId, seq, senderId, ...added, ...others };
}

function eventInPresentShape(event: ChannelEvent): ChannelEvent {
  if ('message' in event) return { ...event, message: messageInPresentShape(event.message) };
  if ('member' in event) {
    const { channelId, agentId, ...others } = event.member;
    const kind = { kind: null };
    return { ...event, member: { channelId, agentId, ...kind, ...others } };
  }
  return event;
}

// An envelope's last field is its epoch, and the epoch is the database's, not the row's: when a backup is restored, all
// that it holds lives in the new epoch. So a row stores the text before that field, and reading adds the field.
const epochField = (epoch: string) => `,"epoch":${JSON.stringify(epoch)}}`;

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
    json: inPresentShape(row.envelope) + epochField(epoch),
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
  return (JSON.parse(`${inPresentShape(stored)}}`) as { event: ChannelEvent }).event;
}

/** The same row with another event. */
export function storedWithEvent(stored: string, event: ChannelEvent): string {
  const envelope = JSON.parse(`${stored}}`) as Envelope;
  return JSON.stringify({ ...envelope, event }).slice(0, -1);
}
