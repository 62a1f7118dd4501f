import { useLayoutEffect, useRef } from 'preact/hooks';
import { plainText } from '../../markdown/plain-text.ts';
import { visibleString } from '../../markdown/visible-text.ts';
import { channelRoute } from '../../page/route.ts';
import { nameInText } from '../../store/agent-names.ts';
import { titleOf } from '../../store/channel-names.ts';
import { usePage, type PageState } from '../page-state.ts';
import { Avatar, IsolatedText } from '../shared/agents.tsx';
import { BareField, Pane } from '../shared/controls.tsx';
import { sinceText } from '../shared/format-time.ts';
import { openChat } from '../workspace/chat-order.ts';
import { markWords } from './marked-words.ts';
import type { Hit } from './message-search.ts';
import { searchFilters } from './search-query.ts';

/** Also puts the caret into the search field. `channelId` limits the search to one channel. */
export function openSearch(page: PageState, channelId: string | null = null, text?: string): void {
  const { session, search } = page;
  const route = session.router.route.peek();
  // An open thread would cover the results.
  if (route.view === 'channel' && route.threadId !== null) {
    session.router.go(channelRoute(route.channelId));
  }
  search.scope.value = channelId;
  if (text !== undefined) search.text.value = text;
  page.pane.value = 'search';
  document.querySelector<HTMLInputElement>('.search-field')?.select();
}

export function SearchPane() {
  const page = usePage();
  const { session, search, pane } = page;
  const list = useRef<HTMLDivElement>(null);
  const { hits, words, isSearching, hasMore, problem } = search.found.value;
  const chat = openChat(session);
  const text = search.text.value;
  const isSearched = text.trim() !== '' && !isSearching && problem === null;

  // The reader may type at once, so the focus is set before the pane is painted.
  useLayoutEffect(() => {
    const { current } = list;
    const opened = current?.querySelector<HTMLElement>(`[data-hit="${search.opened.peek()}"]`);
    (opened ?? field())?.focus();
  }, []);
  const resultAt = (index: number) =>
    list.current?.querySelectorAll<HTMLButtonElement>('.found')[index];
  const field = () =>
    list.current?.closest('.pane')?.querySelector<HTMLInputElement>('.search-field');
  const onListKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const results = [...(list.current?.querySelectorAll('button') ?? [])];
    const next = results.indexOf(event.target as HTMLButtonElement) + step;
    if (next < 0) field()?.focus();
    else results[next]?.focus();
  };
  const onFieldKey = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === 'Enter') {
      event.preventDefault();
      if (hits.length === 0 || isSearching) search.now();
      else resultAt(0)?.focus();
    } else if (event.key === 'ArrowDown') {
      event.preventDefault();
      resultAt(0)?.focus();
    }
  };
  return (
    <Pane title="Search" onClose={() => (pane.value = 'none')}>
      <div class="pane-tools">
        <BareField
          class="search-field"
          type="search"
          label="Search for words"
          placeholder="Words, from:ada, in:ops, before:…"
          value={text}
          onText={(next) => (search.text.value = next)}
          onKeyDown={onFieldKey}
        />
        <Scope channelId={chat?.id ?? null} />
      </div>
      <div class="found-list scrolls" data-keeps-focus ref={list} onKeyDown={onListKey}>
        {hits.map((hit) => (
          <FoundMessage key={hit.messageId} hit={hit} words={words} />
        ))}
        <p class={problem === null ? 'quiet pane-note' : 'problem pane-note'} role="status">
          {problem ??
            (isSearching
              ? 'Searching…'
              : isSearched &&
                (hits.length === 0
                  ? hasMore
                    ? 'Nothing found in the newest messages.'
                    : 'Nothing found. Try fewer words, or all channels.'
                  : hasMore
                    ? null
                    : `${hits.length === 1 ? 'One message' : `${hits.length} messages`} in all.`))}
        </p>
        {hasMore && (
          <button class="pane-note-button" disabled={isSearching} onClick={() => search.more()}>
            Search older messages
          </button>
        )}
        {text.trim() === '' && <Help />}
      </div>
    </Pane>
  );
}

function Scope({ channelId }: { channelId: string | null }) {
  const { session, search } = usePage();
  const scope = search.scope.value;
  const { byId, observed } = session.chats;
  const id = scope ?? channelId;
  const shown =
    byId.value.get(id ?? '') ?? (observed.value?.id === id ? observed.value : undefined);
  // If the search is limited to a channel that the reader has left, the only choice is to search all channels.
  if (shown === undefined && scope === null) return null;
  return (
    <div class="segments" role="group" aria-label="Where to search">
      <button aria-pressed={scope === null} onClick={() => (search.scope.value = null)}>
        All channels
      </button>
      {shown !== undefined && (
        <button aria-pressed={scope !== null} onClick={() => (search.scope.value = shown.id)}>
          <span class="ellipsis">
            <IsolatedText text={titleOf(shown.channel.value, session.me)} />
          </span>
        </button>
      )}
    </div>
  );
}

function FoundMessage({ hit, words }: { hit: Hit; words: string }) {
  const { session, search, isDrawerOpen, pane } = usePage();
  const { channelId, messageId, threadId, seq, senderId, timestamp, snippet } = hit;
  const chat = session.chats.byId.value.get(channelId);
  const name = chat === undefined ? senderId : nameInText(chat.members.value, senderId);
  const channel = chat === undefined ? channelId : titleOf(chat.channel.value, session.me);
  const open = () => {
    isDrawerOpen.value = false;
    search.opened.value = messageId;
    // On a phone the results cover the conversation.
    if (matchMedia('(max-width: 860px)').matches) pane.value = 'none';
    session.router.go(channelRoute(channelId, threadId, seq));
  };
  return (
    <button class="found" data-hit={messageId} onClick={open}>
      <Avatar agentId={senderId} isSmall />
      <span class="found-text">
        <span class="found-head">
          <b class="ellipsis" title={senderId}>
            <IsolatedText text={name} />
          </b>
          <span class="quiet small ellipsis">
            {search.scope.value === null && <IsolatedText text={channel} />}
            {threadId !== null && ' in a thread'}
          </span>
          <span class="quiet small found-time">{sinceText(timestamp)}</span>
        </span>
        <span class="found-excerpt">
          <bdi>
            {markWords(plainText(snippet), words).map(({ text, isMarked }, index) =>
              isMarked ? <mark key={index}>{visibleString(text)}</mark> : visibleString(text),
            )}
          </bdi>
        </span>
      </span>
    </button>
  );
}

function Help() {
  return (
    <dl class="search-help small">
      {searchFilters.map(([filter, meaning]) => (
        <div key={filter}>
          <dt>
            <code>{filter}</code>
          </dt>
          <dd class="quiet">{meaning}</dd>
        </div>
      ))}
    </dl>
  );
}
