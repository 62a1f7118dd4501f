/** The most UTF-16 code units that a word keeps. Of a longer word, such as a hash, only the beginning is compared. */
const wordChars = 64;

export interface SearchTerm {
  readonly words: readonly string[];
  readonly isPrefix: boolean;
}

const beyondAscii = /\P{ASCII}/u;
const wordPattern = /[\p{L}\p{N}]+/gu;
const marks = /\p{M}+/gu;
// Scripts that write no spaces between words. Korean is left out, because it writes spaces.
const unspaced =
  '\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Bopo}\\p{scx=Thai}\\p{scx=Lao}\\p{scx=Khmr}\\p{scx=Mymr}';
const anyUnspaced = new RegExp(`[${unspaced}]`, 'u');
const unspacedRun = new RegExp(`[${unspaced}]+|[^${unspaced}]+`, 'gu');
const unspacedStart = new RegExp(`^[${unspaced}]`, 'u');
// A quoted phrase, possibly without its closing quote; or a run of other characters.
const partPattern = /"([^"]*)"?|[^\s"]+/g;

/** Removes case and accents, and replaces ligatures and full-width letters. The text's length may change. */
function fold(text: string): string {
  if (!beyondAscii.test(text)) return text.toLowerCase();
  // NFKD sorts each run of marks in quadratic time, so marks are removed before it too. The Greek sigma has a final
  // form, and a prefix must match both forms.
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

interface Run {
  readonly text: string;
  /** The index in the folded text. */
  readonly index: number;
  readonly isUnspaced: boolean;
}

/** Gives the runs of letters and digits of a folded text. Splits a run where a script without spaces begins or ends. */
function* runsOf(folded: string): Generator<Run> {
  const isSpaced = !anyUnspaced.test(folded);
  for (const { 0: text, index } of folded.matchAll(wordPattern)) {
    if (isSpaced) yield { text, index, isUnspaced: false };
    else
      for (const part of text.matchAll(unspacedRun))
        yield {
          text: part[0],
          index: index + part.index,
          isUnspaced: unspacedStart.test(part[0]),
        };
  }
}

/**
 * The words of a run. In a script without spaces, each character and the next one make a word. The last character is a
 * word alone, so that a search can begin at any character of the text.
 */
function wordsOf({ text, isUnspaced }: Run): string[] {
  if (!isUnspaced) return [cut(text)];
  const characters = [...text];
  return characters.map((character, index) => character + (characters[index + 1] ?? ''));
}

/**
 * The words of a text in their order: runs of letters and digits, without case and accents. Chinese,
 * Japanese, Thai and other texts without spaces are split into pairs of characters.
 */
export function searchWords(text: string): string[] {
  const folded = fold(text);
  // Most texts take this shortcut. Every message is split for the index, and `runsOf` would cost several times as much.
  if (!anyUnspaced.test(folded)) return (folded.match(wordPattern) ?? []).map(cut);
  return [...runsOf(folded)].flatMap(wordsOf);
}

/** Counts the words of a query. A run of a script without spaces counts as one word. */
export function countSearchWords(query: string): number {
  return [...runsOf(fold(query))].length;
}

/** Returns each term once. A term is a word, a phrase in double quotes, or a prefix with a trailing `*`. */
export function parseSearchQuery(query: string): SearchTerm[] {
  const terms = new Map<string, SearchTerm>();
  const add = (words: readonly string[], isPrefix: boolean) => {
    if (words.length > 0)
      terms.set(`${words.join(' ')}${isPrefix ? '*' : ''}`, { words, isPrefix });
  };
  for (const [part, phrase] of query.replace(/[“”„]/g, '"').matchAll(partPattern)) {
    const runs = [...runsOf(fold(phrase ?? part))];
    if (phrase !== undefined) addRuns(runs, false);
    else
      runs.forEach((run, index) => addRuns([run], part.endsWith('*') && index === runs.length - 1));
  }
  return [...terms.values()];

  /**
   * Adds consecutive runs as one term. If the last run is of a script without spaces, a match may go on with more
   * characters.
   */
  function addRuns(runs: readonly Run[], isPrefix: boolean): void {
    const words = runs.flatMap(wordsOf);
    const last = runs.at(-1);
    if (last?.isUnspaced !== true) return add(words, isPrefix);
    const isAlone = wordsOf(last).length === 1;
    add(isAlone ? words : words.slice(0, -1), isAlone);
  }
}

/** Returns the place of the first match, from 0 to 1. Null unless the text contains all terms. */
export function matchSearchTerms(text: string, terms: readonly SearchTerm[]): number | null {
  const folded = fold(text);
  const of: string[] = [];
  const places: number[] = [];
  for (const run of runsOf(folded)) {
    let index = run.index;
    for (const word of wordsOf(run)) {
      of.push(word);
      places.push(index);
      index += [...word][0]?.length ?? 0;
    }
  }
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
    first = Math.min(first, places[at] ?? 0);
  }
  return first / Math.max(1, folded.length);
}
