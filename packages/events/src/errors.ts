import { CodedError } from '@openclaw/redis-client';

/**
 * - `unavailable`: Redis did not accept the call; local handlers were called nevertheless
 * - `unsupported`: pattern subscription on Redis Cluster
 * - `closed`: the bus is closed
 * - `invalid_event`: the event does not fit its targets, or an id is not valid in a topic's name
 * - `invalid_options`: an option is out of range
 * - `handler_failed`: a handler threw; the others were called nevertheless
 * - `fetch_failed`: the store did not return the events that a sequencer misses; the sequencer retries
 */
export type EventsErrorCode =
  | 'unavailable'
  | 'unsupported'
  | 'closed'
  | 'invalid_event'
  | 'invalid_options'
  | 'handler_failed'
  | 'fetch_failed';

/** Branch on `code`. */
export class EventsError extends CodedError<EventsErrorCode> {
  override readonly name = 'EventsError';
}
