import type { Duplex } from 'node:stream';
import { requestIdHeader } from '../observe/request-trace.ts';
import { AuthError } from './identity.ts';

/** The refusal of an upgrade: a close code where the client can read one, else an HTTP status. */
export interface UpgradeRefusal {
  readonly status: 401 | 403 | 404 | 429 | 503;
  readonly closeCode: 4401 | 4403 | 4429 | 4503 | null;
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** The refusal for a client that could not be authenticated. */
export function refusalOf(error: unknown): UpgradeRefusal {
  if (!(error instanceof AuthError))
    return unavailable('the hub cannot check your credentials now; try again');
  const { code, message, retryAfterMs } = error;
  if (code === 'unavailable') return unavailable(message);
  if (code === 'barred') return tooMany(message, retryAfterMs);
  return { status: 401, closeCode: code === 'revoked' ? 4403 : 4401, reason: message };
}

/**
 * The client may come back later. If no time is given, each client gets a random one, so that they do not all return at
 * once.
 */
export function unavailable(
  reason: string,
  retryAfterMs = 1_000 + Math.round(Math.random() * 1_000),
): UpgradeRefusal {
  return { status: 503, closeCode: 4503, reason, retryAfterMs };
}

/** The client exceeded a limit, and may come back after `retryAfterMs`. */
export function tooMany(reason: string, retryAfterMs = 1_000): UpgradeRefusal {
  return { status: 429, closeCode: 4429, reason, retryAfterMs };
}

const statusTexts = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
} as const;

/** Refuses with an HTTP status, and closes the socket once the response is written. */
export function refuseByStatus(
  socket: Duplex,
  { status, reason, retryAfterMs }: UpgradeRefusal,
  requestId: string | undefined,
): void {
  const body = JSON.stringify({ error: { message: reason } });
  const headers = [
    `HTTP/1.1 ${status} ${statusTexts[status]}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
    ...(retryAfterMs === undefined ? [] : [`Retry-After: ${Math.ceil(retryAfterMs / 1000)}`]),
    ...(requestId === undefined ? [] : [`${requestIdHeader}: ${requestId}`]),
    'Connection: close',
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}
