import type { Socket } from 'node:net';

/** The answers to unreadable requests, by Node's error code; every other code gets a 400. */
const answers: ReadonlyMap<string | undefined, readonly [status: string, message: string]> =
  new Map([
    ['ERR_HTTP_REQUEST_TIMEOUT', ['408 Request Timeout', 'the request did not come in time']],
    [
      'HPE_HEADER_OVERFLOW',
      ['431 Request Header Fields Too Large', 'the headers of the request are too large'],
    ],
  ]);

/** Answers bytes that are not an HTTP request in the shape of every other refusal, and ends the connection. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = answers.get(error.code) ?? [
    '400 Bad Request',
    'this is not an HTTP request',
  ];
  const body = JSON.stringify({ error: { code: 'invalid_request', message } });
  const head = [
    `HTTP/1.1 ${status}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // The peer may keep its side open: do not wait for it.
  socket.once('finish', () => socket.destroy());
}
