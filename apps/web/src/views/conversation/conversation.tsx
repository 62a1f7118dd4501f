import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { useSignalEffect } from '@preact/signals';
import type { Chat } from '../../store/chat.ts';
import { indexOfSeq } from '../../store/timeline.ts';
import { useRowWindow } from '../../windowing/use-row-window.ts';
import { usePage } from '../page-state.ts';
import { Icon } from '../shared/controls.tsx';
import { isSameDay } from '../shared/format-time.ts';
import { editingIn } from './editing.ts';
import { EntryList, leadingHeight } from './entry-list.tsx';
import { EntryRow, isContinued, timeOf } from './entry-row.tsx';

/** The entries of a channel; only those near the view are drawn. */
export function Conversation({ chat, footer }: { chat: Chat; footer: ComponentChildren }) {
  const { session, target, editing } = usePage();
  const { entries, hasOlder, hasNewer, isLoaded } = chat.timeline.value;
  // The read mark at the time the channel was opened.
  const firstUnread = useRef(chat.unread.peek().count > 0 ? chat.unread.peek().seq : null).current;
  const history = session.chats.historyOf(chat);
  const load = (side: 'older' | 'newer' | 'newest') => {
    history[side]().catch(session.notices.reportWhileLive('The history could not be loaded'));
  };
  const shown = target.value?.channelId === chat.id ? target.value : null;
  useLayoutEffect(() => {
    // A reader who returns sees the newest messages, not the position at which the channel was left.
    if (shown !== null) return;
    chat.isFollowing.value = true;
    if (chat.timeline.peek().hasNewer) load('newest');
  }, [chat]);
  const rows = useRowWindow({
    rows: entries,
    isFollowing: chat.isFollowing,
    hasNewer,
    held: editingIn(entries, editing.value, false),
    leadingHeight,
    onNearTop: () => {
      if (chat.timeline.peek().hasOlder && chat.timeline.peek().isLoaded) load('older');
    },
    onNearBottom: () => load('newer'),
  });

  useSignalEffect(() => {
    const { isLoaded, hasNewer } = chat.timeline.value;
    const isSeen = chat.isFollowing.value && isLoaded && !hasNewer;
    if (isSeen && document.visibilityState === 'visible') session.chats.markRead(chat);
  });
  useEffect(() => {
    const onVisible = () => {
      if (document.visibilityState === 'visible' && chat.isFollowing.peek()) {
        session.chats.markRead(chat);
      }
    };
    document.addEventListener('visibilitychange', onVisible);
    return () => {
      document.removeEventListener('visibilitychange', onVisible);
      if (target.peek()?.channelId === chat.id) target.value = null;
    };
  }, [chat]);
  useEffect(() => {
    if (shown !== null) rows.reveal(shown.seq);
  }, [shown]);

  const jump = () => {
    target.value = null;
    if (chat.timeline.peek().hasNewer) load('newest');
    chat.isFollowing.value = true;
  };
  const newEntry = firstUnread === null ? -1 : indexOfSeq(entries, firstUnread + 1);
  const drawn = entries.slice(rows.start, rows.end).map((entry, offset) => {
    const before = entries[rows.start + offset - 1];
    return (
      <EntryRow
        key={entry.seq}
        chat={chat}
        entry={entry}
        isContinued={isContinued(before, entry)}
        isNewDay={before === undefined || !isSameDay(timeOf(before), timeOf(entry))}
        isFirstNew={rows.start + offset === newEntry && newEntry > 0}
        isMarked={entry.seq === shown?.seq}
        thread={entry.kind === 'message' ? chat.threads.value.get(entry.message.id) : undefined}
        isInThread={false}
      />
    );
  });
  const isNewestInView = !hasNewer && (chat.isFollowing.value || rows.isEndInView);

  return (
    <div class="conversation fill">
      <EntryList label="Messages" rows={rows} footer={footer} drawn={drawn}>
        <div class="leading line">
          {!isLoaded ? (
            <p class="quiet">Loading…</p>
          ) : hasOlder ? (
            <button class="link" onClick={() => load('older')}>
              Older messages
            </button>
          ) : (
            <p class="quiet">Beginning of the channel</p>
          )}
        </div>
      </EntryList>
      {isLoaded && !isNewestInView && (
        <button class="jump-to-new" onClick={jump}>
          <Icon name="down" />
          {chat.unread.value.count > 0 ? `${chat.unread.value.count} new` : 'Jump to latest'}
        </button>
      )}
    </div>
  );
}
