import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { requestIdHeader } from '../observe/request-trace.ts';
import { AuthError } from './identity.ts';

/** A client that can read a close code gets `closeCode`, unless it is null. Any other client gets `status`. */
export interface UpgradeRefusal {
  readonly status: 401 | 403 | 404 | 429 | 503;
  readonly closeCode: 4401 | 4403 | 4429 | 4503 | null;
  readonly reason: string;
  readonly retryAfterMs?: number;
}

export function refusalOf(error: unknown): UpgradeRefusal {
  if (!(error instanceof AuthError))
    return unavailable('the hub cannot check your credentials now; try again');
  const { code, message, retryAfterMs } = error;
  if (code === 'unavailable') return unavailable(message);
  if (code === 'barred') return tooMany(message, retryAfterMs);
  return { status: 401, closeCode: code === 'revoked' ? 4403 : 4401, reason: message };
}

/** The default delay is random, so that clients do not all retry at once. */
export function unavailable(
  reason: string,
  retryAfterMs = 1_000 + Math.round(Math.random() * 1_000),
): UpgradeRefusal {
  return { status: 503, closeCode: 4503, reason, retryAfterMs };
}

export function tooMany(reason: string, retryAfterMs = 1_000): UpgradeRefusal {
  return { status: 429, closeCode: 4429, reason, retryAfterMs };
}

export function refuseByStatus(
  socket: Duplex,
  { status, reason, retryAfterMs }: UpgradeRefusal,
  requestId: string | undefined,
): void {
  endWithResponse(socket, status, { message: reason }, [
    ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
    ...(retryAfterMs === undefined ? [] : [`Retry-After: ${Math.ceil(retryAfterMs / 1000)}`]),
    ...(requestId === undefined ? [] : [`${requestIdHeader}: ${requestId}`]),
  ]);
}

/** For a socket without a response object. Destroys the socket once the response is written. */
export function endWithResponse(
  socket: Duplex,
  status: number,
  error: { readonly code?: string; readonly message: string },
  headers: readonly string[] = [],
): void {
  const body = JSON.stringify({ error });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    'Connection: close',
  ];
  // The peer may keep its side open, so `end` alone would not close the socket.
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
