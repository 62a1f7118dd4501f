import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { RpcObject } from './rpc-socket.ts';
import { waitFor } from './processes.ts';
import { clientFrame, createFrameReader, opcodes } from './frame-bytes.ts';

/** Sends arbitrary bytes, and answers neither pings nor closes. */
export interface RawSocket extends Disposable {
  readonly socket: Socket;
  /** Status line and headers of the upgrade's response. */
  readonly head: string;
  readonly objects: readonly RpcObject[];
  readonly pongs: number;
  /** True if the hub closed, by a close frame or by ending the connection. */
  readonly isClosed: boolean;
  /** Resolves with the close code, or null when the connection ended without a close frame. */
  readonly closed: Promise<number | null>;
  write(bytes: Uint8Array): void;
  /** All frames are in one write. */
  send(...texts: string[]): void;
  destroy(): void;
}

export interface RawSocketOptions {
  /** @default 'openclaw.v1' */
  readonly protocol?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Resolves only after the welcome. @default true */
  readonly waitForWelcome?: boolean;
}

/** Rejects when the upgrade is refused. */
export async function openRawSocket(
  url: string,
  { protocol = 'openclaw.v1', headers = {}, waitForWelcome = true }: RawSocketOptions = {},
): Promise<RawSocket> {
  const { hostname, port, pathname, search } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on('error', () => undefined);
  const lines = Object.entries({
    Host: `${hostname}:${port}`,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...(protocol !== null && { 'Sec-WebSocket-Protocol': protocol }),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const { head, rest } = await handshake(socket);

  const objects: RpcObject[] = [];
  let pongs = 0;
  let isClosed = false;
  let closeCode: number | null = null;
  const read = createFrameReader();
  const take = (chunk: Buffer) => {
    for (const { opcode, payload } of read(chunk)) {
      if (opcode === opcodes.text) {
        objects.push(...[JSON.parse(payload.toString()) as RpcObject | RpcObject[]].flat());
      } else if (opcode === opcodes.pong) {
        pongs += 1;
      } else if (opcode === opcodes.close) {
        closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
        isClosed = true;
        socket.emit('hub-closed');
      }
    }
  };
  const closed = new Promise<number | null>((resolve) => {
    const end = () => {
      isClosed = true;
      resolve(closeCode);
    };
    socket.once('hub-closed', end).once('end', end).once('close', end);
  });
  take(rest);
  socket.on('data', take);
  const raw: RawSocket = {
    socket,
    head,
    objects,
    closed,
    get pongs() {
      return pongs;
    },
    get isClosed() {
      return isClosed;
    },
    write: (bytes) => void socket.write(bytes),
    send: (...texts) => void socket.write(Buffer.concat(texts.map((text) => clientFrame(text)))),
    destroy: () => void socket.destroy(),
    [Symbol.dispose]: () => void socket.destroy(),
  };
  if (waitForWelcome) {
    await waitFor(() => isClosed || objects.some(({ method }) => method === 'welcome'), {
      what: 'the welcome',
      everyMs: 1,
    });
  }
  return raw;
}

async function handshake(socket: Socket): Promise<{ head: string; rest: Buffer }> {
  let received = Buffer.alloc(0);
  for (;;) {
    const end = received.indexOf('\r\n\r\n');
    if (end >= 0) {
      const status = received.toString('latin1', 0, 12);
      if (status !== 'HTTP/1.1 101') {
        socket.destroy();
        throw new Error(`the upgrade was refused: ${status}`);
      }
      return { head: received.toString('latin1', 0, end), rest: received.subarray(end + 4) };
    }
    const [chunk] = (await Promise.race([
      once(socket, 'data'),
      once(socket, 'close').then(() => [null]),
    ])) as [Buffer | null];
    if (chunk === null) throw new Error('the connection ended before the upgrade');
    received = Buffer.concat([received, chunk]);
  }
}
