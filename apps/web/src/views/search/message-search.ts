import { effect, signal, type ReadonlySignal } from '@preact/signals';
import { HubError, type HubClient } from '@openclaw/client';
import type { ResultOf } from '@openclaw/protocol';
import { plainReason } from '../../page/plain-errors.ts';
import { titleOf } from '../../store/channel-names.ts';
import type { Chat } from '../../store/chat.ts';
import { hasFeatures, parseQuery, type SearchQuery } from './search-query.ts';

export type Hit = ResultOf<'message.search'>['hits'][number];

export interface Found {
  readonly hits: readonly Hit[];
  readonly words: string;
  readonly isSearching: boolean;
  /** True while older messages can still be searched. False when the search has {@link hitsMax} results. */
  readonly hasMore: boolean;
  /** Says what the reader must change in the query, or why the search failed. */
  readonly problem: string | null;
}

const nothing: Found = { hits: [], words: '', isSearching: false, hasMore: false, problem: null };
const typingPauseMs = 250;
const pageSize = 25;
/** A step goes on after a page without results, but loads at most this many pages. */
const pagesMax = 8;
const hitsMax = 500;

export type MessageSearch = ReturnType<typeof createMessageSearch>;

export function createMessageSearch(deps: {
  readonly client: HubClient;
  readonly me: string;
  readonly chats: ReadonlySignal<ReadonlyMap<string, Chat>>;
}) {
  const { client, me, chats } = deps;
  const text = signal('');
  const scope = signal<string | null>(null);
  const found = signal(nothing);
  let query: SearchQuery | null = null;
  let cursor: string | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let current = new AbortController();

  function parse() {
    const channels = [...chats.peek().values()].map((chat) => {
      const channel = chat.channel.peek();
      return { channelId: chat.id, name: titleOf(channel, me) };
    });
    return parseQuery(text.peek(), { me, channels, nowMs: Date.now() });
  }

  async function onlyWithFeatures(
    hits: readonly Hit[],
    { has }: SearchQuery,
    signal: AbortSignal,
  ): Promise<readonly Hit[]> {
    if (has.length === 0) return hits;
    const kept = await Promise.all(
      hits.map(async ({ channelId, messageId }) => {
        const read = client.channel(channelId).message(messageId, { signal });
        // A message is no result if it was trimmed, or if the reader left its channel during the search.
        const found = await read.catch((error: unknown) => {
          if (error instanceof HubError && error.code === 'not_found') return null;
          throw error;
        });
        return found !== null && hasFeatures(found.message.content, has);
      }),
    );
    return hits.filter((_, index) => kept[index]);
  }

  /** Searches further until a new result is found, or for {@link pagesMax} pages. */
  async function step({ signal }: AbortController) {
    const asked = query;
    if (asked === null) return;
    const { words, has: _, ...where } = asked;
    found.value = { ...found.peek(), words, isSearching: true, problem: null };
    try {
      for (let page = 0; page < pagesMax; page += 1) {
        const channelId = asked.channelId ?? scope.peek();
        const result = await client.search(
          { ...where, query: words, channelId, cursor, limit: pageSize },
          { signal },
        );
        const hits = await onlyWithFeatures(result.hits, asked, signal);
        if (signal.aborted) return;
        cursor = result.nextCursor;
        const all = [...found.peek().hits, ...hits].slice(0, hitsMax);
        const hasMore = cursor !== null && all.length < hitsMax;
        found.value = { ...found.peek(), hits: all, hasMore };
        if (hits.length > 0 || !hasMore) break;
      }
    } catch (error) {
      if (signal.aborted) return;
      found.value = { ...found.peek(), problem: plainReason(error) };
    }
    found.value = { ...found.peek(), isSearching: false };
  }

  function restart() {
    clearTimeout(timer);
    current.abort();
    current = new AbortController();
    cursor = null;
    const parsed = parse();
    query = parsed.ok ? parsed.query : null;
    found.value = parsed.ok ? { ...nothing, isSearching: true } : { ...nothing, ...parsed };
    if (parsed.ok) void step(current);
  }

  let isFirst = true;
  const stop = effect(() => {
    void text.value;
    void scope.value;
    if (isFirst) return void (isFirst = false);
    clearTimeout(timer);
    timer = setTimeout(restart, typingPauseMs);
  });

  return {
    text,
    scope,
    found: found as ReadonlySignal<Found>,
    /** The focus returns to the result that was opened last. */
    opened: signal<string | null>(null),
    now: restart,
    more() {
      if (!found.peek().isSearching && found.peek().hasMore) void step(current);
    },
    close() {
      stop();
      clearTimeout(timer);
      current.abort();
    },
  };
}
