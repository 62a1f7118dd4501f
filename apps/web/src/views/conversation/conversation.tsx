import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { channelRoute } from '../../page/route.ts';
import type { Chat } from '../../store/chat.ts';
import { indexOfSeq } from '../../store/timeline.ts';
import { useRowWindow } from '../../windowing/use-row-window.ts';
import { usePage } from '../page-state.ts';
import { Icon } from '../shared/controls.tsx';
import { isSameDay, sinceText } from '../shared/format-time.ts';
import { editingIn } from './editing.ts';
import { EntryList, leadingHeight } from './entry-list.tsx';
import { EntryRow, FoldRow, isContinued, timeOf } from './entry-row.tsx';
import { type Fold, foldRows } from './folds.ts';
import { useReading } from './use-reading.ts';

/** Only entries near the view are rendered. */
export function Conversation({ chat, footer }: { chat: Chat; footer: ComponentChildren }) {
  const { session, target, editing } = usePage();
  const { entries, hasOlder, hasNewer, isLoaded } = chat.timeline.value;
  const unread = chat.unread.value;
  const opened = useSignal<ReadonlySet<number>>(new Set());
  const folded = useMemo(() => foldRows(entries, opened.value), [entries, opened.value]);
  const toggle = (fold: Fold) => {
    const seqs = new Set(opened.peek());
    if (fold.isOpen) for (const { seq } of fold.events) seqs.delete(seq);
    else seqs.add(fold.events[0]?.seq ?? 0);
    opened.value = seqs;
  };
  const history = session.chats.historyOf(chat);
  const load = (side: 'older' | 'newer' | 'newest') => {
    history[side]().catch(session.notices.reportWhileLive('The history could not be loaded'));
  };
  const shown = target.value?.channelId === chat.id ? target.value : null;
  const rowsRef = useRef<ReturnType<typeof useRowWindow>>(null);
  const reading = useReading(
    chat,
    () => rowsRef.current as ReturnType<typeof useRowWindow>,
    (seq) => {
      const row = folded[indexOfSeq(folded, seq)];
      return row?.kind === 'fold' ? row.lastSeq : seq;
    },
  );
  const rows = useRowWindow({
    rows: folded,
    isFollowing: chat.isFollowing,
    hasNewer,
    held: editingIn(entries, editing.value, false),
    leadingHeight,
    onView: reading.update,
    onNearTop: () => {
      if (chat.timeline.peek().hasOlder && chat.timeline.peek().isLoaded) load('older');
    },
    onNearBottom: () => load('newer'),
  });
  rowsRef.current = rows;
  useEffect(() => {
    if (shown !== null) rows.reveal(shown.seq);
  }, [shown]);

  const jump = () => {
    target.value = null;
    if (chat.timeline.peek().hasNewer) load('newest');
    chat.isFollowing.value = true;
  };
  const drawn = folded.slice(rows.start, rows.end).map((entry, offset) => {
    const before = folded[rows.start + offset - 1];
    const isNewDay = before === undefined || !isSameDay(timeOf(before), timeOf(entry));
    if (entry.kind === 'fold') {
      return (
        <FoldRow key={entry.seq} chat={chat} fold={entry} isNewDay={isNewDay} onToggle={toggle} />
      );
    }
    return (
      <EntryRow
        key={entry.seq}
        chat={chat}
        entry={entry}
        isContinued={isContinued(before, entry)}
        isNewDay={isNewDay}
        isFirstNew={entry.seq === reading.lineSeq}
        isMarked={entry.seq === shown?.seq}
        thread={entry.kind === 'message' ? chat.threads.value.get(entry.message.id) : undefined}
        newReplies={
          entry.kind === 'message' ? unread.threads.get(entry.message.id)?.count : undefined
        }
        isInThread={false}
      />
    );
  });
  const isNewestInView = !hasNewer && (chat.isFollowing.value || rows.isEndInView);

  return (
    <div class="conversation fill">
      <EntryList
        label="Messages"
        chat={chat}
        entries={entries}
        rows={rows}
        footer={footer}
        drawn={drawn}
      >
        <div class="leading line">
          {!isLoaded ? (
            <p class="quiet">Loading…</p>
          ) : hasOlder ? (
            <button class="link" onClick={() => load('older')}>
              Older messages
            </button>
          ) : (
            <p class="quiet">
              Beginning of the channel
              {!entries.some(({ kind }) => kind === 'message') &&
                '. Nothing was written yet: write the first message below.'}
            </p>
          )}
        </div>
      </EntryList>
      {isLoaded && reading.isNewAbove && (
        <NewAbove chat={chat} sinceMs={reading.sinceMs} onGo={reading.goToFirstNew} />
      )}
      <div class="jumps">
        {isLoaded && <UnseenElsewhere chat={chat} onMention={reading.goToMention} />}
        {isLoaded && !isNewestInView && (
          <button class="jump-to-new" onClick={jump}>
            <Icon name="down" />
            {unread.count > 0 ? `${unread.count} new` : 'Jump to latest'}
          </button>
        )}
      </div>
    </div>
  );
}

function NewAbove(props: { chat: Chat; sinceMs: number | null; onGo: () => void }) {
  const { chat, sinceMs, onGo } = props;
  const { chats } = usePage().session;
  const { count } = chat.unread.value;
  const since = sinceMs === null ? '' : ` since ${sinceText(sinceMs)}`;
  return (
    <div class="new-above line" role="status">
      <button class="new-above-go fill" onClick={onGo}>
        <Icon name="up" />
        {`${count.toLocaleString()} new${since}`}
      </button>
      <button onClick={() => chats.markAllSeen(chat)}>Mark as read</button>
    </div>
  );
}

/** Offers new mentions and threads with new replies, which may be outside the view. */
function UnseenElsewhere({ chat, onMention }: { chat: Chat; onMention: () => void }) {
  const { router } = usePage().session;
  const { mentions, threads } = chat.unread.value;
  const route = router.route.value;
  const openThread = route.view === 'channel' ? route.threadId : null;
  const others = [...threads].filter(([threadId]) => threadId !== openThread);
  const [first] = others;
  const replies = others.reduce((sum, [, { count }]) => sum + count, 0);
  return (
    <>
      {mentions > 0 && (
        <button class="jump-to-mention" onClick={onMention}>
          <Icon name="at" />
          {mentions === 1 ? '1 mention' : `${mentions} mentions`}
        </button>
      )}
      {first !== undefined && (
        <button class="jump-to-thread" onClick={() => router.go(channelRoute(chat.id, first[0]))}>
          <Icon name="reply" />
          {replies === 1 ? '1 new reply' : `${replies} new replies`}
        </button>
      )}
    </>
  );
}
