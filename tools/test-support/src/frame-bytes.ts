import { randomBytes } from 'node:crypto';

export const opcodes = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

export interface FrameOptions {
  /** @default opcodes.text */
  readonly opcode?: number;
  /** @default true */
  readonly isFinal?: boolean;
  /** The three reserved bits as a number from 0 to 7. @default 0 */
  readonly reserved?: number;
  /** A client must mask. @default true */
  readonly isMasked?: boolean;
  /** The length that the header states. @default the payload's */
  readonly declaredLength?: number | bigint;
}

export function clientFrame(payload: string | Uint8Array, options: FrameOptions = {}): Buffer {
  const { opcode = opcodes.text, isFinal = true, reserved = 0, isMasked = true } = options;
  const body = Buffer.from(payload as Uint8Array);
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  const length = lengthBytes(options.declaredLength ?? body.length);
  length[0] = (length[0] ?? 0) | (isMasked ? 0x80 : 0);
  if (!isMasked) return Buffer.concat([Buffer.from([first]), length, body]);
  const mask = randomBytes(4);
  for (let i = 0; i < body.length; i++) body[i] = (body[i] ?? 0) ^ (mask[i & 3] ?? 0);
  return Buffer.concat([Buffer.from([first]), length, mask, body]);
}

function lengthBytes(length: number | bigint): Buffer {
  if (length < 126) return Buffer.from([Number(length)]);
  if (length < 65_536) {
    const bytes = Buffer.from([126, 0, 0]);
    bytes.writeUInt16BE(Number(length), 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9);
  bytes[0] = 127;
  bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}

export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Buffers incomplete frames of a server and joins fragments. */
export function createFrameReader(): (chunk: Buffer) => ServerFrame[] {
  let rest: Buffer = Buffer.alloc(0);
  let fragments: ServerFrame[] = [];
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames: ServerFrame[] = [];
    for (;;) {
      const frame = firstFrame(rest);
      if (!frame) return frames;
      rest = rest.subarray(frame.size);
      const [first] = fragments;
      if (frame.opcode === 0 || !frame.isLast) fragments.push(frame);
      else frames.push(frame);
      if (frame.opcode !== 0 || !frame.isLast || !first) continue;
      const payload = Buffer.concat(fragments.map((fragment) => fragment.payload));
      frames.push({ opcode: first.opcode, payload });
      fragments = [];
    }
  };
}

function firstFrame(
  bytes: Buffer,
): (ServerFrame & { readonly size: number; readonly isLast: boolean }) | null {
  if (bytes.length < 2) return null;
  const short = (bytes[1] ?? 0) & 0x7f;
  const headerBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < headerBytes) return null;
  const length =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const size = headerBytes + length;
  if (bytes.length < size) return null;
  const [firstByte = 0] = bytes;
  const payload = bytes.subarray(headerBytes, size);
  return { opcode: firstByte & 0xf, isLast: firstByte >= 0x80, payload, size };
}
