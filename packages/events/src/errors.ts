/**
 * Why something in this package failed:
 * - `unavailable`: Redis did not take it; local delivery has happened all the same
 * - `unsupported`: pattern subscription on Redis Cluster
 * - `closed`: the bus was closed
 * - `invalid_event`: the event and its targets do not fit together, or an id may not stand in a topic's name
 * - `invalid_options`: an option is out of range
 * - `handler_failed`: a handler threw; the others were called all the same
 * - `fetch_failed`: the store did not answer the events that a sequencer misses; it asks again
 */
export type EventsErrorCode =
  | 'unavailable'
  | 'unsupported'
  | 'closed'
  | 'invalid_event'
  | 'invalid_options'
  | 'handler_failed'
  | 'fetch_failed';

/** The one error class of this package. Branch on `code`. */
export class EventsError extends Error {
  override readonly name = 'EventsError';
  readonly code: EventsErrorCode;

  constructor(code: EventsErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
