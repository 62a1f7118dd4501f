import { limits, type EncodedEnvelope } from '@openclaw/protocol';

/**
 * A whole WebSocket text frame (RFC 6455 §5.2: FIN, unmasked, uncompressed), as a server sends it. Frames to clients
 * carry no mask, so one buffer serves every socket of a room.
 */
export function textFrame(payload: string): Buffer {
  const length = Buffer.byteLength(payload);
  const frame = Buffer.allocUnsafe(headerLengthOf(length) + length);
  frame.write(payload, writeHeader(frame, length));
  return frame;
}

const headerLengthOf = (length: number) => (length < 126 ? 2 : length < 65_536 ? 4 : 10);

function frameHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(headerLengthOf(length));
  writeHeader(header, length);
  return header;
}

function writeHeader(frame: Buffer, length: number): number {
  const headerLength = headerLengthOf(length);
  frame[0] = 0x81;
  if (headerLength === 2) {
    frame[1] = length;
  } else if (headerLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  return headerLength;
}

/** What a frame says: a text, or its UTF-8 in pieces, which are sent as they are. */
export type FrameText = string | readonly Uint8Array[];

/** Pieces below this are copied into one buffer: a write of its own would cost more. */
const copiedBytes = 16_384;

/** A text frame as buffers, to be written one behind the other. */
export function textFrames(payload: FrameText): Buffer[] {
  if (typeof payload === 'string') return [textFrame(payload)];
  const length = bytesOf(payload);
  const header = frameHeader(length);
  const pieces = payload.map((piece) =>
    Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength),
  );
  return length < copiedBytes ? [Buffer.concat([header, ...pieces])] : [header, ...pieces];
}

/** How many bytes a frame's payload takes. */
export function bytesOf(payload: FrameText): number {
  return typeof payload === 'string'
    ? Buffer.byteLength(payload)
    : payload.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Texts as one JSON array. */
export function arrayOf(texts: readonly FrameText[]): FrameText {
  if (texts.every((text) => typeof text === 'string')) return `[${texts.join(',')}]`;
  const pieces = texts.flatMap((text, index) => [
    Buffer.from(index === 0 ? '[' : ','),
    ...(typeof text === 'string' ? [Buffer.from(text)] : text),
  ]);
  return [...pieces, Buffer.from(']')];
}

/** A JSON-RPC notification's text, its params already encoded. */
export function notificationText(method: 'event' | 'notice', paramsJson: string): string {
  return `{"jsonrpc":"2.0","method":"${method}","params":${paramsJson}}`;
}

/** Events as frames: with the subprotocol in arrays, as few as the batch limit allows; without it one object each. */
export function framesOf(events: readonly EncodedEnvelope[], acceptsBatches: boolean): Buffer[] {
  const texts = events.map((event) => notificationText('event', event.json));
  return acceptsBatches ? batches(texts).map(textFrame) : texts.map(textFrame);
}

function batches(texts: readonly string[]): string[] {
  const closed: string[] = [];
  let open: string[] = [];
  let length = 0;
  const close = () => {
    const [only] = open;
    if (only !== undefined) closed.push(open.length === 1 ? only : `[${open.join(',')}]`);
    open = [];
    length = 0;
  };
  for (const text of texts) {
    if (open.length === limits.batch || length + text.length > limits.frameBytes) close();
    open.push(text);
    length += text.length + 1;
  }
  close();
  return closed;
}
