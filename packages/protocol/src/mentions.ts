import { blankMarkup } from './mention-markup.ts';
import { limits } from './limits.ts';
import { isId } from './text.ts';

/** The ids that a name after an @ may mean, longest first: `ann.` may be an id, or `ann` at the end of a sentence. */
export type MentionedName = readonly [string, ...string[]];

/** The members decide what the names mean: see {@link resolveMentions}. */
export interface ParsedMentions {
  /**
   * Each name once, in order. There are at most `limits.mentions` names. Together they have at most twice as many ids,
   * because each id is looked up.
   */
  readonly names: readonly MentionedName[];
  readonly all: boolean;
}

const nothing: ParsedMentions = { names: [], all: false };
const everyone = 'all';
const mention = /@([A-Za-z0-9][A-Za-z0-9._@|~-]*)/g;
/** An id has at most 128 characters. The rest allows for punctuation after the id. */
const nameCharsMax = 256;
/** More candidates are only needed for a name that ends in many punctuation marks. */
const candidatesMax = 8;

/**
 * Finds each `@` before an id, except inside a word such as an e-mail address. Code, quotations, links, URLs and `\@`
 * mention nobody. Linear time.
 */
export function parseMentions(content: string): ParsedMentions {
  if (!content.includes('@')) return nothing;
  const text = blankMarkup(content);
  const names = new Map<string, MentionedName>();
  let all = false;
  let idsLeft = 2 * limits.mentions;
  for (const match of text.matchAll(mention)) {
    const emphasis = emphasisBefore(text, match.index);
    if (emphasis === null || isPath(text, match.index + match[0].length)) continue;
    const ids = candidatesOf(match[1] ?? '', emphasis);
    const plain = ids.at(-1);
    if (plain === undefined) continue;
    if (plain === everyone) {
      all = true;
      continue;
    }
    const key = ids.join(' ');
    if (names.size === limits.mentions || ids.length > idsLeft || names.has(key)) continue;
    idsLeft -= ids.length;
    names.set(key, ids as [string, ...string[]]);
  }
  return { names: [...names.values()], all };
}

/** For each name, the longest id of a member, else the name without punctuation. */
export function resolveMentions(
  { names }: ParsedMentions,
  isMember: (agentId: string) => boolean,
): { readonly members: readonly string[]; readonly others: readonly string[] } {
  const members = new Set<string>();
  const others = new Set<string>();
  for (const ids of names) {
    const member = ids.find(isMember);
    if (member === undefined) others.add(ids.at(-1) ?? ids[0]);
    else members.add(member);
  }
  return { members: [...members], others: [...others] };
}

/**
 * The number of underscores right before the @, because they may begin an emphasis. Null if the @ is part of a word or
 * path. Punctuation alone is no word: `~~@ann~~` is a mention.
 */
function emphasisBefore(text: string, at: number): number | null {
  if (text[at - 1] === '/') return null;
  let start = at;
  while (start > 0 && /[._|~-]/.test(text[start - 1] ?? '')) start -= 1;
  if (start > 0 && /[A-Za-z0-9@]/.test(text[start - 1] ?? '')) return null;
  let underscores = 0;
  while (at - underscores > start && text[at - 1 - underscores] === '_') underscores += 1;
  return underscores;
}

/** True for a package's name or a path, such as `@types/node`. */
function isPath(text: string, end: number): boolean {
  return text[end] === '/' && /[A-Za-z0-9]/.test(text[end + 1] ?? '');
}

function candidatesOf(name: string, emphasis: number): string[] {
  if (name.length > nameCharsMax) return [];
  const plain = withoutEmphasis(name.replace(/[.~|-]+$/, ''), emphasis);
  const ids: string[] = [];
  let id = name;
  while (ids.length < candidatesMax - 1 && id.length > plain.length) {
    if (isId(id)) ids.push(id);
    if (!/[.~|-]$/.test(id)) break;
    id = id.slice(0, -1);
  }
  if (isId(plain)) ids.push(plain);
  return ids;
}

/** Removes the underscores that end an emphasis which began before the name. */
function withoutEmphasis(name: string, emphasis: number): string {
  let end = name.length;
  while (end > 1 && name.length - end < emphasis && name[end - 1] === '_') end -= 1;
  return end === name.length ? name : name.slice(0, end).replace(/[.~|-]+$/, '');
}
