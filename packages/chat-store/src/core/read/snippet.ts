const snippetChars = 200;
const leadChars = 60;

/** Makes one line. `place` is a position in the text, from 0 (the beginning) to 1 (the end). */
export function snippetOf(text: string, place: number): string {
  const wantedFrom = Math.max(0, Math.floor(place * text.length) - leadChars);
  const from = wholeFrom(text, Math.max(0, Math.min(wantedFrom, text.length - snippetChars)));
  const to = wholeFrom(text, Math.min(text.length, from + snippetChars));
  const part = text.slice(from, to).replace(/\s+/gu, ' ').trim();
  return `${from > 0 ? '…' : ''}${part}${to < text.length ? '…' : ''}`;
}

/** Does not split a surrogate pair. */
function wholeFrom(text: string, at: number): number {
  const isWithin =
    /[\uDC00-\uDFFF]/.test(text.charAt(at)) && /[\uD800-\uDBFF]/.test(text.charAt(at - 1));
  return isWithin ? at + 1 : at;
}
