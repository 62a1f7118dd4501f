const fence = /^(`{3,}|~{3,})(.*)$/;
const listMarker = /^(?:[-+*]|\d{1,9}[.)])(?:[ \t]+|$)/;
const indentedCode = /^(?: {4}| {0,3}\t)/;
const definition = /^\[[^\]]+\]:/;
const escapable = /[!-/:-@[-`{-~]/;
const schemeCharacter = /[A-Za-z0-9+.-]/;

/**
 * Replaces code, quotations, links and URLs with blanks, in linear time. The function is simpler than a full parser. In
 * rare texts, it leaves a false mention or blanks a true one.
 */
export function blankMarkup(content: string): string {
  const { paragraphs, hasDefinitions } = paragraphsOf(content);
  return paragraphs.map((text) => blankInline(text, hasDefinitions)).join('\n\n');
}

/** Omits code blocks, quotations and definitions of links. No code span crosses a paragraph. */
function paragraphsOf(content: string): { paragraphs: string[]; hasDefinitions: boolean } {
  const paragraphs: string[] = [];
  let lines: string[] = [];
  let open: string | null = null;
  let isInList = false;
  let isAfterBlank = true;
  let hasDefinitions = false;
  const endParagraph = () => {
    if (lines.length > 0) paragraphs.push(lines.join('\n'));
    lines = [];
  };
  for (const line of content.split(/\r\n?|\n/)) {
    const text = line.trim();
    if (open !== null) {
      const close = fence.exec(text);
      if (close?.[1]?.startsWith(open) && close[2] === '') open = null;
      continue;
    }
    if (text === '') {
      endParagraph();
      isAfterBlank = true;
      continue;
    }
    const isIndented = indentedCode.test(line);
    const item = listMarker.exec(text);
    if (item && !(isIndented && !isInList)) isInList = true;
    else if (isAfterBlank && !/^\s/.test(line)) isInList = false;
    // An indented line is code only if it begins a paragraph outside of a list.
    if (isIndented && !isInList && lines.length === 0) continue;
    isAfterBlank = false;
    const block = isInList ? text.slice(item?.[0].length ?? 0) : text;
    const opened = fence.exec(block);
    if (opened?.[1] && !(block.startsWith('`') && opened[2]?.includes('`'))) {
      endParagraph();
      open = opened[1];
    } else if (block.startsWith('>')) {
      endParagraph();
    } else if (definition.test(block)) {
      hasDefinitions = true;
      endParagraph();
    } else {
      if (item) endParagraph();
      lines.push(line);
    }
  }
  endParagraph();
  return { paragraphs, hasDefinitions };
}

function blankInline(text: string, hasDefinitions: boolean): string {
  if (!/[\\`[:]|www\./i.test(text)) return text;
  const closers = backtickRuns(text);
  const out: string[] = [];
  const brackets: number[] = [];
  /** Parts of `out` to blank, in order and without overlaps, so that each is blanked once. */
  const blanks: { readonly start: number; readonly end: number }[] = [];
  const blankFrom = (start: number) => {
    while ((blanks.at(-1)?.start ?? -1) >= start) blanks.pop();
    blanks.push({ start, end: out.length });
  };
  for (let i = 0; i < text.length;) {
    const character = text[i] ?? '';
    let end = i + 1;
    if (character === '\\' && escapable.test(text[i + 1] ?? '')) {
      end = i + 2;
      out.push(' ', ' ');
    } else if (character === '`') {
      while (text[end] === '`') end += 1;
      const close = closers.next(end - i, end);
      if (close !== null) end = close + (end - i);
      out.push(' ');
    } else if (character === '[') {
      brackets.push(out.length);
      out.push(character);
    } else if (character === ']') {
      const start = brackets.pop();
      const linkEnd = start === undefined ? null : linkEndAt(text, end, hasDefinitions);
      out.push(character);
      if (start !== undefined && linkEnd !== null) {
        blankFrom(start);
        end = linkEnd;
      }
    } else if (character === ':' && isUrl(text, i, out)) {
      let start = out.length;
      while (start > 0 && schemeCharacter.test(out[start - 1] ?? '')) start -= 1;
      blankFrom(start);
      end = wordEnd(text, i);
      out.push(' ');
    } else if (isWww(text, i)) {
      end = wordEnd(text, i);
      out.push(' ');
    } else {
      out.push(character);
    }
    i = end;
  }
  for (const blank of blanks) out.fill(' ', blank.start, blank.end);
  return out.join('');
}

/** The next run of backticks of a given length. Each list of runs is walked once, for linear time. */
function backtickRuns(text: string) {
  const byLength = new Map<number, { readonly places: number[]; at: number }>();
  for (const { index, 0: run } of text.matchAll(/`+/g)) {
    const known = byLength.get(run.length);
    if (known) known.places.push(index);
    else byLength.set(run.length, { places: [index], at: 0 });
  }
  return {
    next(length: number, from: number): number | null {
      const runs = byLength.get(length);
      if (!runs) return null;
      while ((runs.places[runs.at] ?? Infinity) < from) runs.at += 1;
      return runs.places[runs.at] ?? null;
    },
  };
}

// A target must not match empty text, so that a run of spaces matches in one way only. Otherwise a long run takes
// quadratic time.
const target =
  /\([ \t\n]*(?:\)|(?:<[^<>\n]*>|(?=[^\s)<>])[^\s()<>]*(?:\([^\s()]*\)[^\s()<>]*)*)(?:[ \t\n]+(?:"[^"]*"|'[^']*'|\([^()]*\)))?[ \t\n]*\))/y;
const reference = /\[[^[\]]*\]/y;
/** A longer target counts as text, which bounds the search. */
const targetMax = 2_048;

/** `end` is the place after a label in brackets. Returns the place after the whole link; null if there is no link. */
function linkEndAt(text: string, end: number, hasDefinitions: boolean): number | null {
  const pattern =
    text[end] === '(' ? target : text[end] === '[' && hasDefinitions ? reference : null;
  if (pattern === null) return null;
  pattern.lastIndex = 0;
  const found = pattern.exec(text.slice(end, end + targetMax));
  return found ? end + found[0].length : null;
}

/** True at the colon of `scheme://` or `mailto:`. */
function isUrl(text: string, colon: number, out: readonly string[]): boolean {
  const before = out.at(-1) ?? '';
  if (text.startsWith('//', colon + 1)) return schemeCharacter.test(before);
  return /^mailto$/i.test(text.slice(Math.max(0, colon - 6), colon));
}

function isWww(text: string, at: number): boolean {
  const isStart = text[at] === 'w' || text[at] === 'W';
  if (!isStart || /[A-Za-z0-9]/.test(text[at - 1] ?? '')) return false;
  return /^www\.$/i.test(text.slice(at, at + 4));
}

function wordEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length && !/[\s<>]/.test(text[end] ?? '')) end += 1;
  return end;
}
