import {
  limits,
  parseMentions,
  resolveMentions,
  type ParsedMentions,
} from '@openclaw/protocol/wire';
import type { Actor } from '../../commands.ts';
import type { collectPrefetch, Prefetched } from '../prefetch.ts';

const everyoneInText = '@all';

interface Mentioning {
  readonly actor: Actor;
  readonly channelId: string;
  readonly parsed: ParsedMentions | null;
}

interface Mentions {
  readonly mentions: string[];
  readonly mentionsAll: boolean;
  /** Mentioned agents that are not members; also `@all`, if this sender may not mention everyone. */
  readonly unreached: string[];
}

const noMentions: Mentions = { mentions: [], mentionsAll: false, unreached: [] };

/** Null if the text has no mentions, or if the sender did not ask to parse the text. */
export function parsedOf(params: {
  readonly content: string;
  readonly parseMentions: boolean | null;
  /** The text of a growing message is parsed when the message ends. */
  readonly stream?: boolean;
}): ParsedMentions | null {
  if (params.parseMentions !== true || params.stream === true) return null;
  const parsed = parseMentions(params.content);
  return parsed.all || parsed.names.length > 0 ? parsed : null;
}

export function prefetchMentions(
  collected: ReturnType<typeof collectPrefetch>,
  { channelId, actor, parsed }: Mentioning,
): void {
  if (!parsed) return;
  for (const ids of parsed.names) for (const id of ids) collected.member(channelId, id);
  if (parsed.all && !mayAlwaysMentionAll(actor)) collected.crowd(channelId);
}

export function mentionsOf(
  prefetched: Prefetched,
  { channelId, actor, parsed }: Mentioning,
  given: readonly string[],
): Mentions {
  if (!parsed && given.length === 0) return noMentions;
  const isMember = (agentId: string) => prefetched.role(channelId, agentId) !== null;
  const inText = parsed ? resolveMentions(parsed, isMember) : { members: [], others: [] };
  const mentionsAll =
    parsed?.all === true &&
    (mayAlwaysMentionAll(actor) ||
      prefetched.role(channelId, actor.agentId) === 'owner' ||
      prefetched.isSmall(channelId));
  const unreached = [
    ...(parsed?.all && !mentionsAll ? [everyoneInText] : []),
    ...given.filter((agentId) => !isMember(agentId)),
    ...inText.others,
  ];
  return {
    mentions: distinct([...given, ...inText.members]),
    mentionsAll,
    unreached: distinct(unreached),
  };
}

function mayAlwaysMentionAll({ kind, isAdmin }: Actor): boolean {
  return isAdmin || kind === 'person';
}

function distinct(agentIds: readonly string[]): string[] {
  return [...new Set(agentIds)].slice(0, limits.mentions);
}
