import { parseSearchQuery, searchWords } from '@openclaw/protocol/wire';

export interface MarkedPart {
  readonly text: string;
  readonly isMarked: boolean;
}

const word = /[\p{L}\p{N}\p{M}]+/u;
const parts = new RegExp(`${word.source}|[^\\p{L}\\p{N}\\p{M}]+`, 'gu');

export function markWords(text: string, query: string): MarkedPart[] {
  const terms = parseSearchQuery(query);
  const exact = new Set(terms.flatMap(({ words }) => words));
  const prefixes = terms.flatMap(({ words, isPrefix }) => (isPrefix ? words.slice(-1) : []));
  const isWanted = (word: string | undefined) =>
    word !== undefined && (exact.has(word) || prefixes.some((prefix) => word.startsWith(prefix)));
  const marked: MarkedPart[] = [];
  const add = (added: string, isMarked: boolean) => {
    const last = marked.at(-1);
    if (last !== undefined && last.isMarked === isMarked)
      marked[marked.length - 1] = { text: last.text + added, isMarked };
    else marked.push({ text: added, isMarked });
  };
  for (const [part] of text.matchAll(parts)) {
    const words = word.test(part) ? searchWords(part) : [];
    if (words.length <= 1) add(part, isWanted(words[0]));
    else addUnspaced(part);
  }
  return marked;

  /**
   * Text without spaces between its words is searched by pairs of characters. Marks both characters of each wanted
   * pair.
   */
  function addUnspaced(part: string): void {
    const characters = part.match(/.\p{M}*/gsu) ?? [];
    const firstOf = (at: number) =>
      searchWords(`${characters[at] ?? ''}${characters[at + 1] ?? ''}`)[0];
    let spaced = '';
    const endSpaced = () => {
      if (spaced !== '') add(spaced, isWanted(searchWords(spaced)[0]));
      spaced = '';
    };
    characters.forEach((character, at) => {
      if (searchWords(character + character).length <= 1) return void (spaced += character);
      endSpaced();
      const isSecond = at > 0 && exact.has(firstOf(at - 1) ?? '');
      add(character, isWanted(firstOf(at)) || isSecond);
    });
    endSpaced();
  }
}
