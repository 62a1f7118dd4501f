import type { ChannelEvent, Envelope, EventType, Message } from '@openclaw/protocol';
import { encodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol/wire';
import type { LogTable } from './tables.ts';

const afterEvent = '},"timestamp":';
const senderKindField = ',"senderKind":';

/**
 * Rows of earlier releases lack the sender's kind and the message's state. Reads fill them in, because rewriting
 * millions of rows would delay an upgrade.
 */
export function inPresentShape(stored: string): string {
  // Only the envelope's own fields follow the event, and their values never contain the searched text.
  if (stored.includes(senderKindField, stored.lastIndexOf(afterEvent))) return stored;
  const { event, ...rest } = JSON.parse(`${stored}}`) as Envelope;
  const envelope = { ...rest, senderKind: null, event: eventInPresentShape(event), epoch: '' };
  return encodeForLog(envelope).stored;
}

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

// The epoch belongs to the database, not to the row: after a restore, all events are of the new epoch. So a row's text
// ends before the epoch, and each read adds the epoch.
/** The end of an envelope, after its row's stored text. */
export const epochField = (epoch: string) => `,"epoch":${JSON.stringify(epoch)}}`;

/** Serialized once, for the wire and for the log row. */
export function encodeForLog(envelope: Envelope): { encoded: EncodedEnvelope; stored: string } {
  const encoded = encodeEnvelope(envelope);
  return { encoded, stored: encoded.json.slice(0, -epochField(envelope.epoch).length) };
}

/** The result is ready to be sent. Only the text of an earlier release's row is parsed. */
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

export function eventOfRow(stored: string): ChannelEvent {
  return (JSON.parse(`${inPresentShape(stored)}}`) as { event: ChannelEvent }).event;
}

export function storedWithEvent(stored: string, event: ChannelEvent): string {
  const envelope = JSON.parse(`${stored}}`) as Envelope;
  return JSON.stringify({ ...envelope, event }).slice(0, -1);
}
