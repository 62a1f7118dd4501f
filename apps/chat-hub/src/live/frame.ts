import { limits, type EncodedEnvelope } from '@openclaw/protocol';
import { runNow, type Steps } from '../slices.ts';
import { pieceChars } from './encoded-text.ts';

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

/** As {@link textFrame}, of a payload in pieces that are encoded already: they are sent one after the other, uncopied. */
export function textFrameOf(pieces: readonly Buffer[]): Buffer[] {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const header = Buffer.allocUnsafe(headerLengthOf(length));
  writeHeader(header, length);
  return [header, ...pieces];
}

const headerLengthOf = (length: number) => (length < 126 ? 2 : length < 65_536 ? 4 : 10);

/** Writes a frame's header; returns its length. */
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

/** A JSON-RPC notification's text, its params already encoded. */
export function notificationText(method: 'event' | 'notice', paramsJson: string): string {
  return `{"jsonrpc":"2.0","method":"${method}","params":${paramsJson}}`;
}

/** Events as frames: with the subprotocol in arrays, as few as the batch limit allows; without it one object each. */
export function framesOf(events: readonly EncodedEnvelope[], acceptsBatches: boolean): Buffer[] {
  return runNow(framing(events, acceptsBatches));
}

/** As {@link framesOf}, in steps of about 64 KiB. */
export function* framing(
  events: readonly EncodedEnvelope[],
  acceptsBatches: boolean,
): Steps<Buffer[]> {
  const frames: Buffer[] = [];
  let open: string[] = [];
  let length = 0;
  const close = () => {
    const [only] = open;
    if (only !== undefined) frames.push(textFrame(open.length === 1 ? only : `[${open.join(',')}]`));
    open = [];
    length = 0;
  };
  const [maxEvents, maxLength] = acceptsBatches ? [limits.batch, limits.frameBytes] : [1, 0];
  let stepLength = 0;
  for (const event of events) {
    const text = notificationText('event', event.json);
    if (open.length === maxEvents || length + text.length > maxLength) close();
    open.push(text);
    length += text.length + 1;
    stepLength += text.length;
    if (stepLength < pieceChars) continue;
    stepLength = 0;
    yield;
  }
  close();
  return frames;
}
