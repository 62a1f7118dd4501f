// Control characters are invisible; bidirectional controls change the order of the text after them.
const invisible = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

export type TextPiece = { readonly text: string } | { readonly escape: string };

/** Replaces invisible characters by their names, because they can make a text look like another one. */
export function visibleText(text: string): TextPiece[] {
  const pieces: TextPiece[] = [];
  let end = 0;
  for (const match of text.matchAll(invisible)) {
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    const code = match[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    pieces.push({ escape: `U+${code}` });
    end = match.index + 1;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

export function visibleString(text: string): string {
  return visibleText(text)
    .map((piece) => ('text' in piece ? piece.text : `‹${piece.escape}›`))
    .join('');
}
