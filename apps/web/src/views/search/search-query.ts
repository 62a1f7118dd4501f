import { limits } from '@openclaw/protocol';
import { countSearchWords } from '@openclaw/protocol/wire';

export interface NamedChannel {
  readonly channelId: string;
  readonly name: string;
}

export interface SearchContext {
  readonly me: string;
  readonly channels: readonly NamedChannel[];
  readonly nowMs: number;
}

export interface SearchQuery {
  readonly words: string;
  readonly senderId: string | null;
  readonly channelId: string | null;
  /** Both times are epoch ms, and exclusive. */
  readonly before: number | null;
  readonly after: number | null;
  /** A result must have all of these features. The hub cannot search for them, so the page checks its results. */
  readonly has: readonly Feature[];
}

/** `problem` says what the reader must change before a search. It is null if nothing was typed. */
export type ParsedQuery =
  | { readonly ok: true; readonly query: SearchQuery }
  | { readonly ok: false; readonly problem: string | null };

const features = {
  code: /`[^`]/,
  link: /\bhttps?:\/\/\S/i,
} as const;
type Feature = keyof typeof features;

export const searchFilters: readonly (readonly [filter: string, meaning: string])[] = [
  ['from:ada', 'by this agent, or from:me'],
  ['in:ops', 'in this channel, or in:@ada'],
  ['before:2026-11-20', 'before this day; after: and on: likewise'],
  ['after:7d', 'in the last 7 days; h, d and w'],
  ['has:code', 'with code, or has:link'],
  ['"exact words"', 'a phrase; a trailing * finds every ending'],
];

const partPattern = /\b(from|in|before|after|on|has):(?:"([^"]*)"?|(\S*))|"[^"]*"?|\S+/giu;

/**
 * Filters may be anywhere between the words. Every `has:` filter applies. Of several other filters of one kind, only
 * the last one applies.
 */
export function parseQuery(text: string, context: SearchContext): ParsedQuery {
  const words: string[] = [];
  let senderId: string | null = null;
  let channelId: string | null = null;
  let before: number | null = null;
  let after: number | null = null;
  const has = new Set<Feature>();
  for (const [part, filter, quoted, plain] of text.matchAll(partPattern)) {
    const value = (quoted ?? plain ?? '').trim();
    if (filter === undefined) {
      words.push(part);
      continue;
    }
    if (value === '') continue;
    const name = filter.toLowerCase();
    if (name === 'from') {
      const id = value.replace(/^@/, '');
      senderId = id === 'me' ? context.me : id;
    } else if (name === 'in') {
      const found = findChannel(value, context.channels);
      if (found === null) return wrong(`You have no channel named “${value}”.`);
      channelId = found.channelId;
    } else if (name === 'has') {
      if (!(value in features)) return wrong('has: takes code or link.');
      has.add(value as Feature);
    } else {
      const time = parseTime(value, context.nowMs);
      if (time === null) return wrong(`${name}: takes a day, such as 2026-11-20, today or 7d.`);
      if (name !== 'after') before = name === 'on' ? time.to + 1 : time.from;
      if (name !== 'before') after = name === 'on' ? time.from - 1 : time.to;
    }
  }
  const typed = words.join(' ').slice(0, limits.searchChars);
  const count = countSearchWords(typed);
  if (count === 0) return wrong(text.trim() === '' ? null : 'Add a word to search for.');
  if (count > limits.searchWords) return wrong(`At most ${limits.searchWords} words.`);
  const query = { words: typed, senderId, channelId, before, after, has: [...has] };
  return { ok: true, query };
}

const wrong = (problem: string | null) => ({ ok: false as const, problem });

export function hasFeatures(content: string, wanted: readonly Feature[]): boolean {
  return wanted.every((feature) => features[feature].test(content));
}

/** Returns the channel with this id or name, else the only channel whose name begins with the text. */
function findChannel(text: string, channels: readonly NamedChannel[]): NamedChannel | null {
  const wanted = text.replace(/^[#@]/, '').toLowerCase();
  const exact = channels.find(
    ({ channelId, name }) => channelId === wanted || name.toLowerCase() === wanted,
  );
  const begun = channels.filter(({ name }) => name.toLowerCase().startsWith(wanted));
  const [only] = begun;
  return exact ?? (begun.length === 1 ? (only ?? null) : null);
}

const unitsMs = { h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/**
 * Returns the first and the last millisecond of a day in the reader's time zone. For an age such as `7d`, both are the
 * same moment. Null for any other text.
 */
function parseTime(text: string, nowMs: number): { from: number; to: number } | null {
  const ago = /^(\d{1,4})([hdw])$/i.exec(text);
  if (ago !== null) {
    const at = nowMs - Number(ago[1]) * unitsMs[ago[2]?.toLowerCase() as keyof typeof unitsMs];
    return { from: at, to: at };
  }
  const today = new Date(nowMs);
  const back = { today: 0, yesterday: 1 }[text.toLowerCase()];
  const day = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text);
  if (back === undefined && day === null) return null;
  const [year, month, date] =
    day === null
      ? [today.getFullYear(), today.getMonth(), today.getDate() - (back ?? 0)]
      : [Number(day[1]), Number(day[2]) - 1, Number(day[3])];
  const from = new Date(year, month, date);
  if (day !== null && (from.getMonth() !== month || from.getDate() !== date)) return null;
  return { from: from.getTime(), to: new Date(year, month, date + 1).getTime() - 1 };
}
