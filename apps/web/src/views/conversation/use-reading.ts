import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { effect, useSignal } from '@preact/signals';
import { channelRoute, type Route } from '../../page/route.ts';
import type { Chat } from '../../store/chat.ts';
import { indexOfSeq, type Entry, type Timeline } from '../../store/timeline.ts';
import type { RowsInView } from '../../windowing/use-row-window.ts';
import { usePage } from '../page-state.ts';

interface Rows {
  reveal(seq: number): void;
  /** Calls `update` with the rows in view. */
  settle(): void;
}

/**
 * Opens a channel at the first new message. Messages that were in view become read. The line above the first new
 * message stays until the reader leaves the channel.
 *
 * `lastSeqOf` takes the seq of a row, and returns the seq of the last entry in that row.
 */
export function useReading(chat: Chat, rows: () => Rows, lastSeqOf: (seq: number) => number) {
  const { session, target } = usePage();
  const { chats, me, notices } = session;
  const history = chats.historyOf(chat);
  const route = session.router.route.value;
  const linkedSeq = linkedIn(route, chat.id);
  const onFailed = notices.reportWhileLive('The history could not be loaded');
  /** The line is above the first message after this seq. Null when nothing was new. */
  const line = useSignal<number | null>(null);
  /** The time of the first new message, only while that message is not loaded. */
  const firstNewAtMs = useSignal<number | null>(null);
  /** True while the first new message is above the view, or before the loaded entries. */
  const isNewAbove = useSignal(false);
  const state = useRef({ isCaughtUp: false, isLineSeen: true, mentionSeq: 0 }).current;

  const mayMark = () => !chat.isKeptUnread.peek() && !chat.isObserved.peek();

  function update(inView: RowsInView | null) {
    const timeline = chat.timeline.peek();
    if (!timeline.isLoaded) return;
    const isVisible = document.visibilityState === 'visible' && mayMark();
    const { entries, hasNewer, head } = timeline;
    const { seq: mark } = chat.unread.peek();
    const newest = entries.at(-1)?.seq ?? 0;
    const wasCaughtUp = state.isCaughtUp && chat.isFollowing.peek() && !hasNewer;
    if (isVisible && wasCaughtUp) {
      // The reader is at the end and sees new messages arrive. All count as seen, even if the view cannot hold them
      // all.
      if (head > mark) chats.markSeen(chat, head);
    } else if (isVisible && (inView !== null || entries.length === 0)) {
      const first = entries[indexOfSeq(entries, mark + 1)]?.seq ?? Infinity;
      const isNext = isCovered(timeline, mark) && (inView === null || first >= inView.first);
      const last = inView === null ? newest : lastSeqOf(inView.last);
      // Events after the last row, such as replies, have no row of their own. So they count as seen with the last row.
      const seen = last >= newest && !hasNewer ? head : last;
      if (isNext && seen > mark) chats.markSeen(chat, seen);
    }
    const { seq, count } = chat.unread.peek();
    state.isCaughtUp = isVisible && !hasNewer && seq >= newest && chat.isFollowing.peek();
    if (count === 0) {
      state.isLineSeen = true;
      firstNewAtMs.value = null;
    } else if (state.isLineSeen) {
      state.isLineSeen = false;
      line.value = seq;
    }
    const next = firstNewOf(entries, seq, me);
    isNewAbove.value =
      count > 0 &&
      (!isCovered(timeline, seq) || (next !== null && inView !== null && next.seq < inView.first));
  }

  async function goToFirstNew() {
    const { seq } = chat.unread.peek();
    if (!isCovered(chat.timeline.peek(), seq)) await history.around(seq);
    const { entries } = chat.timeline.peek();
    const first = firstNewOf(entries, seq, me) ?? entries.at(-1);
    line.value = seq;
    if (first !== undefined) rows().reveal(first.seq);
  }

  async function goToMention() {
    const { seq: mark } = chat.unread.peek();
    const after = Math.max(mark, state.mentionSeq);
    // A mention that the page has not loaded may come before the known mentions.
    const next = chat.counter.hasUnknownMentions()
      ? await history.findMention(after)
      : chat.counter.mentionAfter(after);
    // After the last mention, the search begins again at the first.
    const found = next ?? chat.counter.mentionAfter(0);
    state.mentionSeq = found?.seq ?? 0;
    if (found === null) return;
    const { seq, threadId } = found;
    if (threadId !== null) return session.router.go(channelRoute(chat.id, threadId));
    await goTo(seq);
  }

  async function goTo(seq: number) {
    if (!contains(chat.timeline.peek(), seq)) await history.around(seq);
    target.value = { channelId: chat.id, seq };
  }

  /** Scrolls to the message of a link, else to the first new message, else to the newest one. */
  function open() {
    if (linkedSeq !== null) return goTo(linkedSeq).catch(onFailed);
    const { seq, count } = chat.unread.peek();
    if (count > 0 && (isCovered(chat.timeline.peek(), seq) || seq > 0)) {
      return goToFirstNew().catch(onFailed);
    }
    chat.isFollowing.value = true;
    if (chat.timeline.peek().hasNewer) history.newest().catch(onFailed);
    if (count === 0) return;
    // The reader has never seen this channel, which may be long, so it opens at its end.
    const setTime = (first: { timestamp: number } | null) =>
      (firstNewAtMs.value = first?.timestamp ?? null);
    history.firstNew().then(setTime, onFailed);
  }

  const { isLoaded } = chat.timeline.value;
  // A link may lead to another message of the open channel, or again to the same message.
  useEffect(() => {
    if (isLoaded && linkedSeq !== null) goTo(linkedSeq).catch(onFailed);
  }, [linkedSeq === null ? null : route]);
  useLayoutEffect(() => {
    if (!isLoaded) return;
    const { seq, count } = chat.unread.peek();
    chat.isKeptUnread.value = false;
    Object.assign(state, { isCaughtUp: false, isLineSeen: count === 0, mentionSeq: 0 });
    line.value = count > 0 ? seq : null;
    if (target.peek()?.channelId !== chat.id) void open();
  }, [chat, isLoaded]);
  useEffect(
    // This effect marks the head as read before the render, so that the unread count is never shown. `useSignalEffect`
    // would run after the render.
    () =>
      effect(() => {
        const { hasNewer, head } = chat.timeline.value;
        const isSeen = state.isCaughtUp && chat.isFollowing.value && !hasNewer;
        const isRead = isSeen && mayMark();
        if (isRead && document.visibilityState === 'visible') chats.markSeen(chat, head);
      }),
    [chat],
  );
  useEffect(() => {
    const onVisibility = () => {
      if (document.visibilityState !== 'visible') state.isCaughtUp = false;
      else rows().settle();
    };
    document.addEventListener('visibilitychange', onVisibility);
    return () => {
      document.removeEventListener('visibilitychange', onVisibility);
      if (target.peek()?.channelId === chat.id) target.value = null;
    };
  }, [chat]);

  const { entries } = chat.timeline.value;
  const { seq: mark } = chat.unread.value;
  const first = isCovered(chat.timeline.value, mark) ? firstNewOf(entries, mark, me) : null;
  const lineAt = line.value === null ? null : firstNewOf(entries, line.value, me);
  return {
    update,
    goToFirstNew: () => void goToFirstNew().catch(onFailed),
    goToMention: () => void goToMention().catch(onFailed),
    /** Null while the entry below the line is not loaded. */
    lineSeq: lineAt !== null && isCovered(chat.timeline.value, line.value ?? 0) ? lineAt.seq : null,
    isNewAbove: isNewAbove.value,
    sinceMs: first?.message.timestamp ?? firstNewAtMs.value,
  };
}

/** Null for a link to a reply, because such a link leads to the reply's thread. */
function linkedIn(route: Route, channelId: string): number | null {
  const isHere = route.view === 'channel' && route.channelId === channelId;
  return isHere && route.threadId === null ? route.seq : null;
}

/** True when the loaded entries begin at or before the first message after this seq. */
function isCovered({ entries, hasOlder }: Timeline, seq: number): boolean {
  return !hasOlder || (entries[0] !== undefined && entries[0].seq <= seq + 1);
}

function contains({ entries }: Timeline, seq: number): boolean {
  return entries[indexOfSeq(entries, seq)]?.seq === seq;
}

function firstNewOf(entries: readonly Entry[], seq: number, me: string) {
  for (let i = indexOfSeq(entries, seq + 1); i < entries.length; i += 1) {
    const entry = entries[i];
    if (entry?.kind === 'message' && entry.message.senderId !== me) return entry;
  }
  return null;
}
