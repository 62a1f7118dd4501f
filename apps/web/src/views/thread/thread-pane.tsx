import { useEffect, useRef, useState } from 'preact/hooks';
import { useSignal, useSignalEffect } from '@preact/signals';
import { limits } from '@openclaw/protocol';
import { channelRoute } from '../../page/route.ts';
import type { Session } from '../../session/session.ts';
import { isReadOnly, type Chat } from '../../store/chat.ts';
import { useRowWindow } from '../../windowing/use-row-window.ts';
import { composeTarget } from '../conversation/compose-target.ts';
import { Composer, TypingLine } from '../conversation/composer.tsx';
import { editingIn } from '../conversation/editing.ts';
import { EntryList, leadingHeight } from '../conversation/entry-list.tsx';
import { EntryRow, isContinued } from '../conversation/entry-row.tsx';
import { TurnLine } from '../turns/turn-line.tsx';
import { BudgetDialog, maySetBudget } from '../decisions/budget-dialog.tsx';
import { ThreadQuestions } from '../decisions/thread-questions.tsx';
import { OutgoingList } from '../conversation/outgoing-list.tsx';
import { usePage } from '../page-state.ts';
import { IsolatedText } from '../shared/agents.tsx';
import {
  focusWhenShown,
  IconButton,
  LoadButton,
  onEscape,
  Pane,
  BareField,
} from '../shared/controls.tsx';

// Equals the padding in panes.css.
const padding = 12;

export function closeThread(session: Session, chat: Chat): void {
  const route = session.router.route.peek();
  if (route.view === 'channel' && route.threadId !== null) session.router.go(channelRoute(chat.id));
}

export function isInThread(session: Session): boolean {
  const route = session.router.route.value;
  return route.view === 'channel' && route.threadId !== null;
}

export function ThreadPane({ chat, threadId }: { chat: Chat; threadId: string }) {
  const { session, editing } = usePage();
  const thread = chat.thread.value?.threadId === threadId ? chat.thread.value : null;
  const { entries = [], hasOlder = false, isLoaded = false } = thread ?? {};
  const target = composeTarget(chat.channel.value, threadId, session.me);
  const isFollowing = useSignal(true);
  const rows = useRowWindow({
    rows: entries,
    isFollowing,
    hasNewer: false,
    held: editingIn(entries, editing.value, true),
    leadingHeight: padding + (isLoaded && hasOlder ? leadingHeight : 0),
    onNearTop: () => {},
    onNearBottom: () => {},
  });
  // The seq of the first new reply when the thread was opened, or of the first reply that arrived
  // while the page was hidden.
  const line = useRef<number | null>(null);
  const unread = chat.unread.value.threads.get(threadId);
  const isSeenAtOnce = isLoaded && isFollowing.value && document.visibilityState === 'visible';
  if (!isSeenAtOnce) line.current ??= unread?.firstSeq ?? null;
  useSignalEffect(() => {
    const { isLoaded = false, threadId: opened } = chat.thread.value ?? {};
    const isNew = chat.unread.value.threads.has(threadId);
    if (opened !== threadId || !isLoaded || !isNew || !isFollowing.value) return;
    if (document.visibilityState === 'visible') session.chats.markThreadSeen(chat, threadId);
  });
  useEffect(() => {
    const onVisibility = () => {
      if (document.visibilityState !== 'visible') line.current = null;
      else if (isFollowing.peek()) session.chats.markThreadSeen(chat, threadId);
    };
    document.addEventListener('visibilitychange', onVisibility);
    return () => document.removeEventListener('visibilitychange', onVisibility);
  }, [chat, threadId]);
  const route = session.router.route.value;
  const linkedSeq = route.view === 'channel' ? route.seq : null;
  useEffect(() => {
    if (!isLoaded || linkedSeq === null) return;
    const reveal = async () => {
      const isBefore = () => {
        const { threadId: open, entries = [], hasOlder } = chat.thread.peek() ?? {};
        return open === threadId && hasOlder === true && (entries[1]?.seq ?? 0) > linkedSeq;
      };
      while (isBefore()) await history.olderReplies();
      rows.reveal(linkedSeq);
    };
    reveal().catch(onError);
  }, [isLoaded, linkedSeq === null ? null : route]);
  const history = session.chats.historyOf(chat);
  const onError = session.notices.reportWhileLive('The thread could not be loaded');

  useEffect(() => {
    history.openThread(threadId).catch(onError);
    return () => history.closeThread(threadId);
  }, [chat, threadId]);
  const drawn = entries.slice(rows.start, rows.end).map((entry, offset) => {
    const index = rows.start + offset;
    return (
      <EntryRow
        key={entry.seq}
        chat={chat}
        entry={entry}
        isContinued={index > (hasOlder ? 0 : 1) && isContinued(entries[index - 1], entry)}
        isFirstNew={entry.seq === line.current}
        isMarked={entry.seq === linkedSeq}
        isInThread
      />
    );
  });
  return (
    <Pane
      title="Thread"
      head={<ThreadTitle chat={chat} threadId={threadId} />}
      onClose={() => closeThread(session, chat)}
    >
      <EntryList
        label="Replies"
        chat={chat}
        entries={entries}
        rows={rows}
        drawn={drawn}
        footer={
          <>
            {isLoaded && entries.length <= 1 && (
              <p class="quiet pane-note">No replies yet. Write the first one below.</p>
            )}
            <ThreadQuestions chat={chat} threadId={threadId} />
            <OutgoingList target={target} />
          </>
        }
      >
        {isLoaded && hasOlder && (
          <div class="leading line">
            <LoadButton label="Older replies" load={() => history.olderReplies().catch(onError)} />
          </div>
        )}
      </EntryList>
      <TurnLine chat={chat} threadId={threadId} />
      <TypingLine chat={chat} threadId={threadId} />
      {!isReadOnly(chat) && (
        <Composer chat={chat} target={target} onSent={() => (isFollowing.value = true)} />
      )}
    </Pane>
  );
}

function ThreadTitle({ chat, threadId }: { chat: Chat; threadId: string }) {
  const { session } = usePage();
  const [text, setText] = useState<string | null>(null);
  const [isLimiting, setLimiting] = useState(false);
  const thread = chat.threads.value.get(threadId);
  const title = thread?.title ?? null;
  const isOwner = chat.members.value.get(session.me)?.role === 'owner';
  const mayName =
    !isReadOnly(chat) && (title === null || isOwner || thread?.createdBy === session.me);

  const rename = async (next: string) => {
    const channel = session.client.channel(chat.id);
    // If the thread already exists, createThread does not change its title.
    if (title === null && (await channel.createThread(threadId, next)).thread.title === next)
      return;
    await channel.updateThread(threadId, next === '' ? null : next);
  };
  const save = (event: Event) => {
    event.preventDefault();
    const next = text?.trim() ?? '';
    setText(null);
    if (next === (title ?? '')) return;
    rename(next).catch(session.notices.report('The thread was not renamed'));
  };

  if (text !== null) {
    return (
      <form class="inline-form thread-name line fill" onSubmit={save}>
        <BareField
          ref={focusWhenShown}
          label="Name of the thread"
          value={text}
          maxLength={limits.titleChars}
          onText={setText}
          onKeyDown={onEscape(() => setText(null))}
        />
        <button type="submit">Save</button>
      </form>
    );
  }
  return (
    <>
      <h2 class="thread-name line fill">
        {title === null ? 'Thread' : <IsolatedText text={title} />}
        {!isReadOnly(chat) && maySetBudget(session, chat) && (
          <IconButton
            icon="turns"
            label="Turns of agents in this thread"
            onClick={() => setLimiting(true)}
          />
        )}
        {mayName && (
          <IconButton icon="edit" label="Name this thread" onClick={() => setText(title ?? '')} />
        )}
      </h2>
      {isLimiting && (
        <BudgetDialog chat={chat} threadId={threadId} onClose={() => setLimiting(false)} />
      )}
    </>
  );
}
