/**
 * The most UTF-16 code units of a word that a search compares. Longer words, such as keys and hashes, are compared by
 * this beginning.
 */
const wordChars = 64;

/** A part of a query that a message must contain. */
export interface SearchTerm {
  /** Several words form a phrase, and must follow each other. */
  readonly words: readonly string[];
  /** True if the last word is a prefix. */
  readonly isPrefix: boolean;
}

const beyondAscii = /\P{ASCII}/u;
const wordPattern = /[\p{L}\p{N}]+/gu;
const marks = /\p{M}+/gu;
// A quoted phrase, possibly without its closing quote; or a run of other characters.
const partPattern = /"([^"]*)"?|[^\s"]+/g;

/**
 * The text without case and accents. Equivalent characters, such as ligatures and full-width letters, become equal.
 * The length may change.
 */
function fold(text: string): string {
  if (!beyondAscii.test(text)) return text.toLowerCase();
  // Marks are removed before the decomposition too, because it sorts each run of marks in quadratic time. The letter
  // sigma has a final form in Greek; a prefix must match both forms.
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

/** The words of a text in their order: runs of letters and digits, without case and accents. */
export function searchWords(text: string): string[] {
  return (fold(text).match(wordPattern) ?? []).map(cut);
}

/**
 * The terms of a query, each once: words, phrases in double quotes, and words with a trailing `*`, which match every
 * word with that beginning.
 */
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

/**
 * Compares a text with the terms of a query. Null unless the text contains all of them; else the place of the first
 * match, from 0 to 1, as a share of the text's length.
 */
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
