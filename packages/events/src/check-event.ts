import { type EncodedEnvelope, isDurable, isEventType, isId } from '@openclaw/protocol';
import { EventsError } from './errors.ts';

/**
 * Refuses what a receiver would drop as malformed, so that both buses refuse it alike and no handler of this process gets
 * what no other process can. Does not parse the JSON: `encodeEnvelope` wrote it.
 * @throws {EventsError} `invalid_event`
 */
export function checkEvent(event: EncodedEnvelope): void {
  const problem = problemOf(event);
  if (problem !== null) throw new EventsError('invalid_event', problem);
}

function problemOf(event: unknown): string | null {
  if (typeof event !== 'object' || event === null) return 'there is no event';
  const { json, id, type, channelId, seq } = event as Record<keyof EncodedEnvelope, unknown>;
  if (typeof json !== 'string') return 'the event has no JSON: encode it with encodeEnvelope';
  if (!isId(id)) return 'the id of the event is not valid';
  if (!json.startsWith(`{"id":"${id}",`)) return 'the JSON of the event does not begin with its id';
  if (!isEventType(type)) return 'the type of the event is unknown';
  if (channelId !== null && !isId(channelId)) return 'the channelId of the event is not valid';
  if (channelId === null && type !== 'collaboration.event') return 'the event has no channelId';
  // Some collaboration events are ephemeral by their name, which stands in the JSON alone.
  if (type === 'collaboration.event' && seq === null) return null;
  if (!isDurable(type, channelId)) return seq === null ? null : `a ${type} here has no seq`;
  return Number.isSafeInteger(seq) && (seq as number) > 0
    ? null
    : `the seq of a ${type} is a positive integer`;
}
