import { limits, type EncodedEnvelope } from '@openclaw/protocol';
import { pieceChars } from '../event-loop/encoding-steps.ts';
import type { Steps } from '../event-loop/time-sliced-queue.ts';

/** Encodes a WebSocket text frame (RFC 6455 §5.2) without a mask, so one buffer serves every socket of a room. */
export function textFrame(payload: string): Buffer {
  const length = Buffer.byteLength(payload);
  const headerLength = headerLengthOf(length);
  const frame = Buffer.allocUnsafe(headerLength + length);
  writeHeader(frame, length, wholeText);
  frame.write(payload, headerLength);
  return frame;
}

export type Frame = Buffer | readonly Buffer[];

/**
 * Does not copy large pieces. A payload over `fragmentBytes` becomes fragments of one message (RFC 6455 §5.4), so
 * that it can be written in several turns. Only a ping or a close may be sent between two fragments.
 */
export function textFrames(pieces: readonly Buffer[]): Frame[] {
  const groups: Buffer[][] = [[]];
  let length = 0;
  for (const piece of pieces) {
    if (length > 0 && length + piece.length > fragmentBytes) {
      groups.push([]);
      length = 0;
    }
    groups.at(-1)?.push(piece);
    length += piece.length;
  }
  return groups.map((group, index) => {
    const opcode = index === 0 ? 0x01 : 0x00;
    const fin = index === groups.length - 1 ? 0x80 : 0x00;
    const bytes = sizeOfFrame(group);
    const header = Buffer.allocUnsafe(headerLengthOf(bytes));
    writeHeader(header, bytes, fin | opcode);
    const frame = [header, ...group];
    return bytes <= copiedBytes ? Buffer.concat(frame) : frame;
  });
}

export function sizeOfFrame(frame: Frame): number {
  return Buffer.isBuffer(frame)
    ? frame.length
    : frame.reduce((sum, piece) => sum + piece.length, 0);
}

/** A frame up to this size is copied into one buffer, which is cheaper to write than several small ones. */
const copiedBytes = 65_536;
const fragmentBytes = 131_072;
const wholeText = 0x81;
const headerLengthOf = (length: number) => (length < 126 ? 2 : length < 65_536 ? 4 : 10);

function writeHeader(frame: Buffer, length: number, firstByte: number): void {
  frame[0] = firstByte;
  if (length < 126) {
    frame[1] = length;
  } else if (length < 65_536) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
}

export function notificationText(method: 'event' | 'notice', paramsJson: string): string {
  return `{"jsonrpc":"2.0","method":"${method}","params":${paramsJson}}`;
}

/**
 * If the client accepts batches, a frame holds several events as an array, up to the limits of a batch and a frame.
 * A single event is never in an array. If the client does not accept batches, each frame holds a single event.
 */
export function framesOf(events: readonly EncodedEnvelope[], acceptsBatches: boolean): Buffer[] {
  const framing = createFraming(acceptsBatches);
  for (const event of events) framing.add(event);
  return framing.end();
}

export function* framesInSteps(
  events: readonly EncodedEnvelope[],
  acceptsBatches: boolean,
): Steps<Buffer[]> {
  const framing = createFraming(acceptsBatches);
  let stepLength = 0;
  for (const event of events) {
    stepLength += framing.add(event);
    if (stepLength < pieceChars) continue;
    stepLength = 0;
    yield;
  }
  return framing.end();
}

function createFraming(acceptsBatches: boolean) {
  const [maxEvents, maxLength] = acceptsBatches ? [limits.batch, limits.frameBytes] : [1, 0];
  const frames: Buffer[] = [];
  let open: string[] = [];
  let length = 0;
  function close(): void {
    const [only] = open;
    if (only !== undefined)
      frames.push(textFrame(open.length === 1 ? only : `[${open.join(',')}]`));
    open = [];
    length = 0;
  }
  return {
    add(event: EncodedEnvelope): number {
      const text = notificationText('event', event.json);
      if (open.length === maxEvents || length + text.length > maxLength) close();
      open.push(text);
      length += text.length + 1;
      return text.length;
    },
    end(): Buffer[] {
      close();
      return frames;
    },
  };
}
