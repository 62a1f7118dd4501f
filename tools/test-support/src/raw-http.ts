import { connect } from 'node:net';

/** `status` is null when the connection ended without a response. */
export interface RawAnswer {
  readonly status: number | null;
  readonly head: string;
  readonly body: string;
  readonly tookMs: number;
}

/**
 * Resolves when the hub ends the connection. With `isHalfClosed` the client ends its side at once. Rejects when the
 * connection stays open for longer than `timeoutMs`.
 */
export async function sendRaw(
  port: number,
  request: string | Uint8Array,
  { isHalfClosed = false, timeoutMs = 5_000 } = {},
): Promise<RawAnswer> {
  const startMs = performance.now();
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.write(request);
  if (isHalfClosed) socket.end();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the hub keeps the connection')), timeoutMs);
  });
  try {
    const ended = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
    await Promise.race([ended, late]);
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
  const text = Buffer.concat(chunks).toString();
  const end = text.indexOf('\r\n\r\n');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  return {
    status: status === undefined ? null : Number(status),
    head: end < 0 ? text : text.slice(0, end),
    body: end < 0 ? '' : text.slice(end + 4),
    tookMs: performance.now() - startMs,
  };
}
