import { parseSearchQuery, searchWords } from '@openclaw/protocol/wire';

export interface MarkedPart {
  readonly text: string;
  readonly isMarked: boolean;
}

export function markWords(text: string, query: string): MarkedPart[] {
  const terms = parseSearchQuery(query);
  const exact = new Set(terms.flatMap(({ words }) => words));
  const prefixes = terms.flatMap(({ words, isPrefix }) => (isPrefix ? words.slice(-1) : []));
  const isWanted = (part: string) =>
    searchWords(part).some(
      (word) => exact.has(word) || prefixes.some((prefix) => word.startsWith(prefix)),
    );
  const parts: MarkedPart[] = [];
  for (const [part] of text.matchAll(/[\p{L}\p{N}\p{M}]+|[^\p{L}\p{N}\p{M}]+/gu)) {
    const isMarked = isWanted(part);
    const last = parts.at(-1);
    if (last !== undefined && last.isMarked === isMarked)
      parts[parts.length - 1] = { text: last.text + part, isMarked };
    else parts.push({ text: part, isMarked });
  }
  return parts;
}
