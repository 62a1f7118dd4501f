// Embeddings, overrides and isolates turn the order of what follows them; controls draw nothing at all.
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** A piece of text, or a character that a reader would not have seen, by its name. */
export type TextPiece = { readonly text: string } | { readonly escape: string };

/** Takes out of a text what could make it look like another, and names it instead. */
export function visibleText(text: string): TextPiece[] {
  const pieces: TextPiece[] = [];
  let end = 0;
  for (const match of text.matchAll(unseen)) {
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    const code = match[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    pieces.push({ escape: `U+${code}` });
    end = match.index + 1;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

/** The same, as one string, for where only a string can stand. */
export function visibleString(text: string): string {
  return visibleText(text)
    .map((piece) => ('text' in piece ? piece.text : `‹${piece.escape}›`))
    .join('');
}
