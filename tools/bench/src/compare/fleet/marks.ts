export interface Mark {
  readonly index: number;
  readonly sentMicros: number;
}

const opening = '~bench~';
const openingBytes = Buffer.from(opening);
const indexDigits = 8;
const timeDigits = 14;
const markLength = opening.length + indexDigits + timeDigits;

export function nowMicros(): number {
  return Math.round(performance.now() * 1_000);
}

export function markedText({ index, sentMicros }: Mark, contentBytes: number): string {
  const mark =
    opening +
    String(index).padStart(indexDigits, '0') +
    String(sentMicros).padStart(timeDigits, '0');
  return mark.padEnd(contentBytes, 'lorem ipsum ');
}

function digits(bytes: Buffer, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at += 1) value = value * 10 + (bytes[at] as number) - 48;
  return value;
}

export function nextMark(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(openingBytes, from);
  return at < 0 ? Infinity : at;
}

export function indexAt(bytes: Buffer, at: number): number {
  return digits(bytes, at + opening.length, indexDigits);
}

export function sentMicrosAt(bytes: Buffer, at: number): number {
  return digits(bytes, at + opening.length + indexDigits, timeDigits);
}

export { markLength };
