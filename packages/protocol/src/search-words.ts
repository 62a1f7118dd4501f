/** In UTF-16 code units. Longer words, such as hashes, are compared by this beginning. */
const wordChars = 64;

export interface SearchTerm {
  readonly words: readonly string[];
  readonly isPrefix: boolean;
}

const beyondAscii = /\P{ASCII}/u;
const wordPattern = /[\p{L}\p{N}]+/gu;
const marks = /\p{M}+/gu;
// A quoted phrase, even without its closing quote; or a run of other characters.
const partPattern = /"([^"]*)"?|[^\s"]+/g;

/** Removes case and accents, and replaces ligatures and full-width letters. The length may change. */
function fold(text: string): string {
  if (!beyondAscii.test(text)) return text.toLowerCase();
  // Marks are removed first too, because NFKD sorts each run of them in quadratic time. Sigma has a final form in
  // Greek; a prefix must match both forms.
  return text
    .replace(marks, '')
    .normalize('NFKD')
    .replace(marks, '')
    .toLowerCase()
    .replaceAll('ς', 'σ');
}

function cut(word: string): string {
  if (word.length <= wordChars) return word;
  // Half a surrogate pair cannot be stored.
  const end = /[\uD800-\uDBFF]/.test(word.charAt(wordChars - 1)) ? wordChars - 1 : wordChars;
  return word.slice(0, end);
}

/** Finds runs of letters and digits, without case and accents. */
export function searchWords(text: string): string[] {
  return (fold(text).match(wordPattern) ?? []).map(cut);
}

/** Each term once: words, phrases in double quotes, and prefixes with a trailing `*`. */
export function parseSearchQuery(query: string): SearchTerm[] {
  const terms = new Map<string, SearchTerm>();
  const add = (words: readonly string[], isPrefix: boolean) => {
    if (words.length > 0)
      terms.set(`${words.join(' ')}${isPrefix ? '*' : ''}`, { words, isPrefix });
  };
  for (const [part, phrase] of query.replace(/[“”„]/g, '"').matchAll(partPattern)) {
    if (phrase !== undefined) {
      add(searchWords(phrase), false);
      continue;
    }
    const words = searchWords(part);
    words.forEach((word, index) => add([word], part.endsWith('*') && index === words.length - 1));
  }
  return [...terms.values()];
}

/** Null unless the text contains all terms; else the place of the first match, from 0 to 1. */
export function matchSearchTerms(text: string, terms: readonly SearchTerm[]): number | null {
  const folded = fold(text);
  const found = [...folded.matchAll(wordPattern)];
  const of = found.map(([word]) => cut(word));
  let first = folded.length;
  for (const { words, isPrefix } of terms) {
    const isMatch = (from: number) =>
      words.every((word, index) => {
        const other = of[from + index];
        const isBeginning = isPrefix && index === words.length - 1;
        return isBeginning ? other?.startsWith(word) === true : other === word;
      });
    const at = of.findIndex((_, index) => isMatch(index));
    if (at < 0) return null;
    first = Math.min(first, found[at]?.index ?? 0);
  }
  return first / Math.max(1, folded.length);
}
