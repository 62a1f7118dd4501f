import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { clientFrame, opcodes } from '@openclaw/test-support';

export interface LeanSocket {
  send(text: string): void;
  /** Ends the TCP connection without a closing handshake, as a broken network does. */
  cut(): void;
}

export interface LeanSocketEvents {
  onOpen(): void;
  /** The text is `bytes` from `start` to `end`, valid only during the call. */
  onFrame(bytes: Buffer, start: number, end: number): void;
  /** The socket calls this once, after the last frame. The code is null without a close frame. */
  onClose(code: number | null, reason: string): void;
}

const headEnd = Buffer.from('\r\n\r\n');
const nothing = Buffer.alloc(0);

/** The frame's mask is zero. Such a mask changes no byte, so masking costs nothing. */
function textFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const headBytes = bytes < 126 ? 6 : bytes < 65_536 ? 8 : 14;
  const frame = Buffer.allocUnsafe(headBytes + bytes);
  frame[0] = 0x80 | opcodes.text;
  if (headBytes === 6) frame[1] = 0x80 | bytes;
  else if (headBytes === 8) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(bytes, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeBigUInt64BE(BigInt(bytes), 2);
  }
  frame.fill(0, headBytes - 4, headBytes);
  frame.write(text, headBytes);
  return frame;
}

/**
 * Connects to 127.0.0.1. Frames cost far less than in a general WebSocket client, so the clients leave the processor to
 * the measured server.
 */
export function openLeanSocket(
  { port, path, protocol }: { port: number; path: string; protocol: string | null },
  events: LeanSocketEvents,
): LeanSocket {
  let isUpgraded = false;
  let rest: Buffer = nothing;
  let fragments: Buffer[] = [];
  let close: { code: number | null; reason: string } = { code: null, reason: '' };
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('connect', () => {
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      ...(protocol === null ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  });

  function readFrames(bytes: Buffer, from: number): number {
    let at = from;
    while (bytes.length - at >= 2) {
      const first = bytes[at] as number;
      let length = (bytes[at + 1] as number) & 0x7f;
      let start = at + 2;
      if (length === 126) {
        if (bytes.length - at < 4) break;
        length = bytes.readUInt16BE(at + 2);
        start = at + 4;
      } else if (length === 127) {
        if (bytes.length - at < 10) break;
        length = Number(bytes.readBigUInt64BE(at + 2));
        start = at + 10;
      }
      const end = start + length;
      if (end > bytes.length) break;
      at = end;
      readFrame(first, bytes, start, end);
    }
    return at;
  }

  function readFrame(first: number, bytes: Buffer, start: number, end: number) {
    const opcode = first & 0x0f;
    const isFinal = (first & 0x80) !== 0;
    if (opcode === opcodes.text && isFinal) events.onFrame(bytes, start, end);
    else if (opcode === opcodes.text || opcode === opcodes.continuation) {
      fragments.push(Buffer.from(bytes.subarray(start, end)));
      if (!isFinal) return;
      const whole = Buffer.concat(fragments);
      fragments = [];
      events.onFrame(whole, 0, whole.length);
    } else if (opcode === opcodes.ping)
      socket.write(clientFrame(bytes.subarray(start, end), { opcode: opcodes.pong }));
    else if (opcode === opcodes.close) {
      if (end - start >= 2)
        close = { code: bytes.readUInt16BE(start), reason: bytes.toString('utf8', start + 2, end) };
      socket.end(clientFrame(bytes.subarray(start, end), { opcode: opcodes.close }));
    } else if (opcode !== opcodes.pong) {
      close = { code: 1002, reason: `a frame with the first byte ${first}` };
      socket.destroy();
    }
  }

  socket.on('data', (chunk: Buffer) => {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    rest = nothing;
    if (!isUpgraded) {
      const end = bytes.indexOf(headEnd);
      if (end < 0) {
        rest = bytes;
        return;
      }
      const status = bytes.toString('latin1', 0, bytes.indexOf('\r\n'));
      if (!status.includes(' 101 ')) {
        close = { code: null, reason: status };
        socket.destroy();
        return;
      }
      isUpgraded = true;
      bytes = bytes.subarray(end + headEnd.length);
      events.onOpen();
    }
    const at = readFrames(bytes, 0);
    if (at < bytes.length) rest = bytes.subarray(at);
  });
  socket.on('error', (error: Error) => {
    if (close.code === null && close.reason === '') close = { code: null, reason: error.message };
  });
  socket.on('close', () => events.onClose(close.code, close.reason));

  return {
    send: (text) => void socket.write(textFrame(text)),
    cut: () => void socket.destroy(),
  };
}
