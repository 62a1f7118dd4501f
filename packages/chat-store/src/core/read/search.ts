import type { Message, ParamsOf, ResultOf, SearchTerm } from '@openclaw/protocol';
import { limits, matchSearchTerms, parseSearchQuery } from '@openclaw/protocol/wire';
import type { Kysely } from 'kysely';
import { useKeys } from '../key-plans.ts';
import type { Actor } from '../../commands.ts';
import {
  addStored,
  countOf,
  docsOf,
  emptySet,
  intersect,
  segmentDocs,
  segmentOf,
  type DocSet,
} from '../search/posting-list.ts';
import type { Tables } from '../tables.ts';
import { foundMessages } from './found-messages.ts';
import { openChannel, type Read } from './reading.ts';
import { boundsOfTimes } from './search-times.ts';
import { snippetOf } from './snippet.ts';

// The index only proposes messages. Each proposed message is read and compared again, in the same snapshot as the
// rights, so no search shows a former text, a deleted message or a foreign channel. The work of a call is bounded, so a
// page may end early. Its cursor continues the search.

/**
 * Up to this many of the caller's channels are looked up in the index. If there are more, the rights to each proposed
 * message are checked instead.
 */
const ownChannelsMax = 300;
/**
 * A statement reads at most this many segments. For a prefix it reads fewer, because many words may begin with the
 * prefix.
 */
const segmentsMax = { short: 2, prefix: 8, words: 64 };
const shortPrefixChars = 3;
const prefixRowsMax = 1_500;
const lookUpsMax = 2_000;
/** The work of one call: rows and look-ups in the index, messages, and bytes of messages. */
const bounds = { index: 8_000, messages: 400, bytes: 524_288 };
/** The most proposed messages that one statement checks. The first checks fewer, because few are often enough. */
const proposedMax = { first: 64, further: 200 };
/** The number of look-ups that decide the rights to one proposed message. */
const rightsCost = 4;

type Params = ParamsOf<'message.search'>;
type Hit = ResultOf<'message.search'>['hits'][number];

type Budget = { -readonly [K in keyof typeof bounds]: number };

/** Returns hits in the reverse order of indexing. This is newest first, unless the index was behind. */
export const searchMessages: Read<'message.search'> = async (
  db,
  actor,
  params,
  _maxBytes,
  dialect = 'sqlite',
) => {
  const { channelId, limit, cursor } = params;
  await useKeys(db, dialect);
  if (channelId !== null) {
    const opened = await openChannel(db, actor, channelId, 'anyone');
    if (!opened.ok) return opened;
  }
  const channels = channelId === null ? await ownChannels(db, actor) : [channelId];
  const hits: Hit[] = [];
  const page = (from: number | null) => ({
    ok: true as const,
    result: { hits, nextCursor: from === null ? null : `s${from}` },
  });
  if (channels?.length === 0) return page(null);
  const terms = parseSearchQuery(params.query);
  const budget: Budget = { ...bounds };
  const most = mostSegments(terms);
  const times = await boundsOfTimes(db, params);
  /** Documents with this number or a higher one were searched before. */
  let from = cursor === null ? Number.MAX_SAFE_INTEGER : Number(cursor.slice(1));
  let isFirst = true;
  for (let size = 1; ; size = Math.min(most, 4 * size)) {
    const segments = await nextSegments(db, params, from, size);
    if (segments.length === 0) return page(null);
    const found = await findWords(db, segments, terms, params.senderId, budget);
    for (const group of groupsOf(found, channels)) {
      await keepChannels(db, group, channels, budget);
      const docs = group.flatMap(([segment, set]) => {
        const [above, below] = [times.above(segment), Math.min(from, times.below(segment))];
        return docsOf(set, segment).filter((doc) => doc > above && doc < below);
      });
      while (docs.length > 0) {
        if (!isFirst && isSpent(budget)) return page(from);
        const proposed = docs.splice(0, isFirst ? proposedMax.first : proposedMax.further);
        isFirst = false;
        budget.index -= rightsCost * proposed.length;
        for await (const { doc, message } of foundMessages(db, actor, params, proposed, budget)) {
          from = doc;
          const hit = hitOf(message, params, terms);
          if (hit) hits.push(hit);
          if (hits.length === limit || budget.bytes <= 0) return page(from);
        }
        from = proposed.at(-1) ?? from;
      }
      from = Math.min(from, (group.at(-1)?.[0] ?? Infinity) * segmentDocs);
      if (isSpent(budget)) return page(from);
    }
    from = Math.min(from, (segments.at(-1) ?? 0) * segmentDocs);
    if (isSpent(budget)) return page(from);
  }
};

const isSpent = (budget: Budget) => Object.values(budget).some((left) => left <= 0);

/** Null if the channels are too many to look up in the index. */
async function ownChannels(db: Kysely<Tables>, actor: Actor): Promise<string[] | null> {
  if (actor.channels?.length === 0) return [];
  let query = db
    .selectFrom('members as m')
    .innerJoin('channels as c', 'c.id', 'm.channel_id')
    .select('m.channel_id')
    .where('m.agent_id', '=', actor.agentId)
    .where('c.deleted_at', 'is', null)
    .limit(ownChannelsMax + 1);
  if (actor.channels) query = query.where('m.channel_id', 'in', [...actor.channels]);
  const rows = await query.execute();
  return rows.length > ownChannelsMax ? null : rows.map(({ channel_id }) => channel_id);
}

function mostSegments(terms: readonly SearchTerm[]): number {
  const prefixes = terms.filter(({ isPrefix }) => isPrefix);
  if (prefixes.length === 0) return segmentsMax.words;
  const isShort = prefixes.some(({ words }) => (words.at(-1)?.length ?? 0) < shortPrefixChars);
  return isShort ? segmentsMax.short : segmentsMax.prefix;
}

async function nextSegments(
  db: Kysely<Tables>,
  { before, after }: Params,
  from: number,
  size: number,
): Promise<number[]> {
  let query = db
    .selectFrom('search_segments')
    .select('segment')
    .where('segment', '<=', segmentOf(from - 1))
    .orderBy('segment', 'desc')
    .limit(size);
  if (before !== null) query = query.where('oldest_at', '<', before);
  if (after !== null) query = query.where('newest_at', '>', after);
  return (await query.execute()).map(({ segment }) => segment);
}

type SegmentSets = [segment: number, set: DocSet][];

async function findWords(
  db: Kysely<Tables>,
  segments: readonly number[],
  terms: readonly SearchTerm[],
  senderId: string | null,
  budget: Budget,
): Promise<SegmentSets> {
  const words = wordsToLookUp(terms, senderId);
  let left = new Map(segments.map((segment) => [segment, full()]));
  const keep = (sets: ReadonlyMap<number, DocSet>) => {
    left = new Map(
      [...left].filter(([segment, set]) => {
        const other = sets.get(segment);
        return other !== undefined && intersect(set, other);
      }),
    );
  };
  if (words.length > 0) {
    const rows = await postingsOf(db, [...left.keys()], words, budget);
    for (const word of words) keep(setsOf(rows.filter(({ term }) => term === word)));
  }
  for (const { words: prefix, isPrefix } of terms) {
    // When the budget is used up, a prefix is only compared with the texts.
    if (!isPrefix || left.size === 0 || budget.index <= 0) continue;
    const word = prefix.at(-1) ?? '';
    const rows = await db
      .selectFrom('search_postings')
      .select(['segment', 'docs'])
      .where('segment', 'in', [...left.keys()])
      .where('term', '>=', word)
      .where('term', '<', `${word}${lastCharacter}`)
      .limit(prefixRowsMax + 1)
      .execute();
    budget.index -= rows.length + left.size;
    // If very many words begin with the prefix, most messages contain one, so only the texts decide.
    if (rows.length <= prefixRowsMax) keep(setsOf(rows));
  }
  return [...left].sort(([a], [b]) => b - a);
}

/**
 * Returns at most `limits.searchWords` whole words of a query, and the sender. A query in a script without spaces may
 * have more words. The further words are only compared with the texts of messages.
 */
function wordsToLookUp(terms: readonly SearchTerm[], senderId: string | null): string[] {
  const whole = terms.flatMap(({ words, isPrefix }) => (isPrefix ? words.slice(0, -1) : words));
  const words = [...new Set(whole)].slice(0, limits.searchWords);
  return senderId === null ? words : [...words, `@${senderId}`];
}

/**
 * No word contains this character, which sorts after all others in bytewise comparison. The prefix with it is therefore
 * an upper bound of all words with the prefix.
 */
const lastCharacter = '\u{10FFFF}';

function full(): DocSet {
  return emptySet().fill(0xff);
}

async function postingsOf(
  db: Kysely<Tables>,
  segments: readonly number[],
  terms: readonly string[],
  budget: Budget,
) {
  const rows = await db
    .selectFrom('search_postings')
    .select(['segment', 'term', 'docs'])
    .where('segment', 'in', [...segments])
    .where('term', 'in', [...terms])
    .execute();
  budget.index -= rows.length + segments.length * terms.length;
  return rows;
}

function setsOf(
  rows: readonly { readonly segment: number; readonly docs: Uint8Array }[],
): Map<number, DocSet> {
  const sets = new Map<number, DocSet>();
  for (const { segment, docs } of rows) {
    const set = sets.get(segment) ?? emptySet();
    sets.set(segment, set);
    addStored(set, docs);
  }
  return sets;
}

/** Splits the segments into groups, so that each group needs a bounded number of look-ups of channels. */
function groupsOf(found: SegmentSets, channels: readonly string[] | null): SegmentSets[] {
  if (found.length === 0) return [];
  if (!needsChannels(found, channels)) return [found];
  const size = Math.max(1, Math.floor(lookUpsMax / Math.max(1, channels?.length ?? 1)));
  const groups: SegmentSets[] = [];
  for (let at = 0; at < found.length; at += size) groups.push(found.slice(at, at + size));
  return groups;
}

/** False if checking the few documents costs less than looking up the channels. */
function needsChannels(
  group: SegmentSets,
  channels: readonly string[] | null,
): channels is readonly string[] {
  if (channels === null) return false;
  let docs = 0;
  for (const [, set] of group) docs += countOf(set);
  return docs > proposedMax.further || rightsCost * docs > channels.length * group.length;
}

async function keepChannels(
  db: Kysely<Tables>,
  group: SegmentSets,
  channels: readonly string[] | null,
  budget: Budget,
): Promise<void> {
  if (!needsChannels(group, channels)) return;
  const segments = group.map(([segment]) => segment);
  const terms = channels.map((channelId) => `#${channelId}`);
  const sets = setsOf(await postingsOf(db, segments, terms, budget));
  for (const [segment, set] of group) intersect(set, sets.get(segment) ?? emptySet());
}

/** Null unless the message's current text, sender and time match the query. */
function hitOf(message: Message, params: Params, terms: readonly SearchTerm[]): Hit | null {
  const { channelId, seq, id: messageId, senderId, timestamp, threadId, content } = message;
  const { before, after } = params;
  if (params.senderId !== null && senderId !== params.senderId) return null;
  if ((before !== null && timestamp >= before) || (after !== null && timestamp <= after))
    return null;
  const place = matchSearchTerms(content, terms);
  if (place === null) return null;
  const snippet = snippetOf(content, place);
  return { channelId, seq, messageId, senderId, timestamp, threadId, snippet };
}
