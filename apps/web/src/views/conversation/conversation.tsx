import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { useSignalEffect } from '@preact/signals';
import type { Chat } from '../../store/chat.ts';
import { indexOfSeq, type Entry } from '../../store/timeline.ts';
import { useRowWindow } from '../../windowing/use-row-window.ts';
import { editedIn } from './edited-in.ts';
import { Icon } from '../shared/icon.tsx';
import { isSameDay } from '../shared/format-time.ts';
import { usePage } from '../../page/page-state.ts';
import { EntryRow } from './entry-row.tsx';

const leadingHeight = 56;
const groupedWithinMs = 5 * 60_000;

/** Does a message go on from the one before it, so that its author need not be named again? */
export function isContinued(before: Entry | undefined, entry: Entry): boolean {
  if (before?.kind !== 'message' || entry.kind !== 'message') return false;
  const [a, b] = [before.message, entry.message];
  return (
    a.senderId === b.senderId &&
    b.timestamp - a.timestamp < groupedWithinMs &&
    a.deletedAt === null &&
    isSameDay(a.timestamp, b.timestamp)
  );
}

const timeOf = (entry: Entry) =>
  entry.kind === 'message' ? entry.message.timestamp : entry.envelope.timestamp;

/** The channel's messages, of which only those near the view are drawn. */
export function Conversation({ chat, footer }: { chat: Chat; footer: ComponentChildren }) {
  const { session, target, editing } = usePage();
  const { entries, hasOlder, hasNewer, isLoaded } = chat.timeline.value;
  // Where reading stopped, as it was when the channel was opened.
  const firstUnread = useRef(chat.unread.peek().count > 0 ? chat.unread.peek().seq : null).current;
  const history = session.chats.historyOf(chat);
  const load = (side: 'older' | 'newer' | 'newest') => {
    history[side]().catch((error: unknown) => {
      if (session.client.state === 'live')
        session.notices.report('The history could not be read', error);
    });
  };
  const shown = target.value?.channelId === chat.id ? target.value : null;
  useLayoutEffect(() => {
    // Whoever comes back goes on with the newest, wherever the channel was left.
    if (shown !== null) return;
    chat.isFollowing.value = true;
    if (chat.timeline.peek().hasNewer) load('newest');
  }, [chat]);
  const rows = useRowWindow(
    {
      rows: entries,
      isFollowing: chat.isFollowing,
      hasNewer,
      held: editedIn(entries, editing.value, false),
      onNearTop: () => {
        if (chat.timeline.peek().hasOlder && chat.timeline.peek().isLoaded) load('older');
      },
      onNearBottom: () => load('newer'),
    },
    leadingHeight,
  );

  useSignalEffect(() => {
    const { isLoaded, hasNewer } = chat.timeline.value;
    const isSeen = chat.isFollowing.value && isLoaded && !hasNewer;
    if (isSeen && document.visibilityState === 'visible') session.chats.markRead(chat);
  });
  useEffect(() => {
    const onVisible = () => {
      if (document.visibilityState === 'visible' && chat.isFollowing.peek())
        session.chats.markRead(chat);
    };
    document.addEventListener('visibilitychange', onVisible);
    return () => document.removeEventListener('visibilitychange', onVisible);
  }, [chat]);
  useEffect(() => {
    if (shown !== null) rows.reveal(shown.seq);
  }, [shown]);
  useEffect(
    () => () => {
      if (target.peek()?.channelId === chat.id) target.value = null;
    },
    [chat],
  );

  const jump = () => {
    target.value = null;
    if (chat.timeline.peek().hasNewer) load('newest');
    chat.isFollowing.value = true;
  };
  const newEntry = firstUnread === null ? -1 : indexOfSeq(entries, firstUnread + 1);
  const drawn = entries.slice(rows.start, rows.end).map((entry, offset) => {
    const before = entries[rows.start + offset - 1];
    const isNewDay = before === undefined || !isSameDay(timeOf(before), timeOf(entry));
    return (
      <EntryRow
        key={entry.seq}
        chat={chat}
        entry={entry}
        isContinued={isContinued(before, entry)}
        isNewDay={isNewDay}
        isFirstNew={rows.start + offset === newEntry && newEntry > 0}
        isMarked={entry.seq === shown?.seq}
        thread={entry.kind === 'message' ? chat.threads.value.get(entry.message.id) : undefined}
        isInThread={false}
      />
    );
  });

  return (
    <div class="conversation">
      <div
        class="scroller"
        ref={rows.view}
        onScroll={rows.onScroll}
        onWheel={rows.onWheel}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Messages"
      >
        <div class="leading">
          {!isLoaded ? (
            <p class="quiet">Reading…</p>
          ) : hasOlder ? (
            <button class="link" onClick={() => load('older')}>
              Older messages
            </button>
          ) : (
            <p class="quiet">This is where it begins.</p>
          )}
        </div>
        <div class="rows" style={{ height: `${rows.totalHeight}px` }}>
          <div
            class="rows-drawn"
            ref={rows.list}
            style={rows.offset === null ? { bottom: 0 } : { top: `${rows.offset}px` }}
          >
            {drawn}
          </div>
        </div>
        {footer}
      </div>
      {(!chat.isFollowing.value || hasNewer) && isLoaded && (
        <button class="jump-to-new" onClick={jump}>
          <Icon name="down" />
          {chat.unread.value.count > 0 ? `${chat.unread.value.count} new` : 'To the newest'}
        </button>
      )}
    </div>
  );
}
