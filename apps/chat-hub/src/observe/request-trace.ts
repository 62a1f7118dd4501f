import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface RequestTrace {
  /** The answer has the id in the header {@link requestIdHeader}. */
  readonly requestId: string;
  /**
   * The id comes from the header `traceparent` (W3C Trace Context), and is absent when the header is missing or not
   * valid.
   */
  readonly traceId?: string;
  readonly parentSpanId?: string;
}

export const requestIdHeader = 'x-request-id';

/** Other characters could break a log line or a header. */
const saneId = /^[\w.:@~-]{1,128}$/;
const traceparent =
  /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-[\da-f]{2}(-|$)/;

export function traceOf(headers: IncomingHttpHeaders): RequestTrace {
  const given = headers[requestIdHeader];
  const requestId = typeof given === 'string' && saneId.test(given) ? given : randomUUID();
  const { traceparent: parent } = headers;
  const [, traceId, parentSpanId] =
    typeof parent === 'string' ? (traceparent.exec(parent) ?? []) : [];
  return traceId !== undefined && parentSpanId !== undefined
    ? { requestId, traceId, parentSpanId }
    : { requestId };
}
