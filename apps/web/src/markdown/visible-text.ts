/**
 * Matches controls, and all characters that Unicode lets a renderer ignore (zero-width characters, tags, variation
 * selectors, fillers). Agents read them, but people do not see them. Bidirectional controls change the order of the
 * text that follows.
 */
const invisible =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u2800\ufff9-\ufffb\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/u;
const invisibleRun = new RegExp(`${invisible.source}+`, 'gu');

const pictograph = '\\p{Extended_Pictographic}[\\u{1f3fb}-\\u{1f3ff}\\ufe0e\\ufe0f]?';
const joining =
  '[\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Mongolian}\\p{Script=Nko}\\p{Script=Devanagari}\\p{Script=Bengali}\\p{Script=Gurmukhi}\\p{Script=Gujarati}\\p{Script=Oriya}\\p{Script=Tamil}\\p{Script=Telugu}\\p{Script=Kannada}\\p{Script=Malayalam}\\p{Script=Sinhala}]';
// Matches only the flags that emoji fonts contain. If other tags were allowed, any text could hide behind the black
// flag.
const flag =
  '\\u{1f3f4}\\u{e0067}\\u{e0062}(?:\\u{e0065}\\u{e006e}\\u{e0067}|\\u{e0073}\\u{e0063}\\u{e0074}|\\u{e0077}\\u{e006c}\\u{e0073})\\u{e007f}';
/**
 * Matches texts in which an invisible character belongs: flags made of tags, keycaps, emoji with a variation selector,
 * joined emoji, and letters with a joiner between them (as in Persian and in Indian scripts).
 */
const legitimate = new RegExp(
  [
    flag,
    '[0-9#*]\\ufe0f?\\u20e3',
    `${pictograph}(?:\\u200d${pictograph})*`,
    `(?<=${joining})[\\u200c\\u200d](?=${joining})`,
    // Matches variants of Chinese characters.
    '(?<=\\p{Script=Han})[\\ufe00-\\ufe02\\u{e0100}-\\u{e01ef}]',
  ].join('|'),
  'gu',
);

const namedMax = 16;

export type TextPiece = { readonly text: string } | { readonly escape: string };

/**
 * Invisible characters can make a text look like another one, or hide a text that only agents read, so their names
 * are shown. Text in tag characters is shown as readable text.
 */
export function visibleText(text: string): TextPiece[] {
  if (!invisible.test(text)) return text === '' ? [] : [{ text }];
  const pieces: TextPiece[] = [];
  let plain = '';
  const addInvisible = (part: string) => {
    let end = 0;
    for (const run of part.matchAll(invisibleRun)) {
      plain += part.slice(end, run.index);
      if (plain !== '') pieces.push({ text: plain });
      plain = '';
      for (const escape of namesOf([...run[0]])) pieces.push({ escape });
      end = run.index + run[0].length;
    }
    plain += part.slice(end);
  };
  let end = 0;
  for (const match of text.matchAll(legitimate)) {
    addInvisible(text.slice(end, match.index));
    plain += match[0];
    end = match.index + match[0].length;
  }
  addInvisible(text.slice(end));
  if (plain !== '') pieces.push({ text: plain });
  return pieces;
}

export function visibleString(text: string): string {
  return visibleText(text)
    .map((piece) => ('text' in piece ? piece.text : `‹${piece.escape}›`))
    .join('');
}

/** Names a repeated character once, with its count. Decodes tags, and cuts a long run. */
function namesOf(run: readonly string[]): string[] {
  const names: string[] = [];
  for (let at = 0; at < run.length;) {
    if (names.length === namedMax)
      return [...names, `${run.length - at} more invisible characters`];
    const tags = run.slice(
      at,
      firstFrom(run, at, (one) => !isTag(one)),
    );
    if (tags.length > 1) {
      names.push(`tags: ${tags.map(asciiOfTag).join('')}`);
      at += tags.length;
      continue;
    }
    const first = run[at] as string;
    const count = firstFrom(run, at, (one) => one !== first) - at;
    names.push(count > 1 ? `${nameOf(first)} ×${count}` : nameOf(first));
    at += count;
  }
  return names;
}

function firstFrom(
  run: readonly string[],
  from: number,
  matches: (one: string) => boolean,
): number {
  const found = run.findIndex((one, at) => at >= from && matches(one));
  return found < 0 ? run.length : found;
}

const firstTag = 0xe0020;
const lastTag = 0xe007e;

function isTag(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code >= firstTag && code <= lastTag;
}

function asciiOfTag(character: string): string {
  return String.fromCharCode((character.codePointAt(0) ?? 0) - 0xe0000);
}

function nameOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}
