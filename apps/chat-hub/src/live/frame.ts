import { limits, type EncodedEnvelope } from '@openclaw/protocol';

/**
 * A whole WebSocket text frame (RFC 6455 §5.2: FIN, unmasked, uncompressed), as a server sends it. Frames to clients
 * carry no mask, so one buffer serves every socket of a room.
 */
export function textFrame(payload: string): Buffer {
  const length = Buffer.byteLength(payload);
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerLength + length);
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
  frame.write(payload, headerLength);
  return frame;
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
