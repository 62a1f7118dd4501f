import type { EncodedEnvelope } from '@openclaw/protocol';
import type { Steps } from './time-sliced-queue.ts';

/** Encoding one piece takes about a tenth of a millisecond. */
export const pieceChars = 65_536;

export function* encodedText(text: string): Steps<Buffer[]> {
  const pieces: Buffer[] = [];
  let start = 0;
  while (start < text.length) {
    let end = Math.min(text.length, start + pieceChars);
    // A surrogate pair must stay in one piece.
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last < 0xdc00) end -= 1;
    pieces.push(Buffer.from(text.slice(start, end)));
    start = end;
    if (start < text.length) yield;
  }
  return pieces;
}

/** Appends JSON in UTF-8, separated by commas. Returns the number of bytes appended. */
export function* encodeEvents(events: readonly EncodedEnvelope[], pieces: Buffer[]): Steps<number> {
  let text = '';
  let bytes = 0;
  const encode = () => {
    const piece = Buffer.from(text);
    pieces.push(piece);
    bytes += piece.length;
    text = '';
  };
  for (const [index, { json }] of events.entries()) {
    text += index > 0 || pieces.length > 0 ? `,${json}` : json;
    if (text.length < pieceChars || index === events.length - 1) continue;
    encode();
    yield;
  }
  if (text !== '') encode();
  return bytes;
}
