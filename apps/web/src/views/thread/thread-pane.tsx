import { useEffect, useRef, useState } from 'preact/hooks';
import { limits } from '@openclaw/protocol';
import { channelRoute } from '../../page/route.ts';
import type { Session } from '../../session/session.ts';
import type { Chat } from '../../store/chat.ts';
import { useFollowingScroll } from '../../windowing/use-following-scroll.ts';
import { Composer } from '../conversation/composer.tsx';
import { editingIn } from '../conversation/editing.ts';
import { EntryRow, isContinued } from '../conversation/entry-row.tsx';
import { OutgoingList } from '../conversation/outgoing-list.tsx';
import { usePage } from '../page-state.ts';
import { IsolatedText } from '../shared/agents.tsx';
import { IconButton, LoadButton, Pane } from '../shared/controls.tsx';

/** Closes the thread that is open beside the channel, if there is one. */
export function closeThread(session: Session, chat: Chat): void {
  const route = session.router.route.peek();
  if (route.view === 'channel' && route.threadId !== null) session.router.go(channelRoute(chat.id));
}

/** A message and its replies, beside the channel. */
export function ThreadPane({ chat, threadId }: { chat: Chat; threadId: string }) {
  const { session, editing } = usePage();
  const thread = chat.thread.value?.threadId === threadId ? chat.thread.value : null;
  const { entries = [], hasOlder = false, isLoaded = false } = thread ?? {};
  const isEditing = editingIn(entries, editing.value, true) !== null;
  const scroll = useFollowingScroll(entries[0]?.seq, isEditing);
  const history = session.chats.historyOf(chat);
  const onError = session.notices.reportWhileLive('The thread could not be loaded');

  useEffect(() => {
    history.openThread(threadId).catch(onError);
    return () => history.closeThread(threadId);
  }, [chat, threadId]);
  return (
    <Pane
      title="Thread"
      head={<ThreadTitle chat={chat} threadId={threadId} />}
      onClose={() => closeThread(session, chat)}
    >
      <div
        class="thread-scroll"
        ref={scroll.view}
        onScroll={scroll.onScroll}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Replies"
      >
        <div ref={scroll.list}>
          {isLoaded && hasOlder && (
            <LoadButton label="Older replies" load={() => history.olderReplies().catch(onError)} />
          )}
          {entries.map((entry, index) => (
            <EntryRow
              key={entry.seq}
              chat={chat}
              entry={entry}
              isContinued={index > (hasOlder ? 0 : 1) && isContinued(entries[index - 1], entry)}
              isNewDay={false}
              isFirstNew={false}
              isMarked={false}
              isInThread
              thread={undefined}
            />
          ))}
          {isLoaded && entries.length <= 1 && <p class="quiet pane-note">No replies yet.</p>}
          <OutgoingList chat={chat} threadId={threadId} />
        </div>
      </div>
      {chat.channel.value.archivedAt === null && (
        <Composer chat={chat} agentId={null} threadId={threadId} />
      )}
    </Pane>
  );
}

/** The title of the thread. Its creator and the owners of the channel can change it. */
function ThreadTitle({ chat, threadId }: { chat: Chat; threadId: string }) {
  const { session } = usePage();
  const [text, setText] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const isOpen = text !== null;
  useEffect(() => {
    if (isOpen) field.current?.focus();
  }, [isOpen]);
  const thread = chat.threads.value.get(threadId);
  const title = thread?.title ?? null;
  const isOwner = chat.members.value.get(session.me)?.role === 'owner';
  const mayName =
    chat.channel.value.archivedAt === null &&
    (title === null || isOwner || thread?.createdBy === session.me);

  const rename = async (next: string) => {
    const channel = session.client.channel(chat.id);
    // Creating a thread that already exists does not change its title.
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
      <form class="inline-form thread-name" onSubmit={save}>
        <input
          aria-label="Name of the thread"
          value={text}
          maxLength={limits.titleChars}
          ref={field}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            event.preventDefault();
            setText(null);
          }}
        />
        <button type="submit">Save</button>
      </form>
    );
  }
  return (
    <h2 class="thread-name">
      {title === null ? 'Thread' : <IsolatedText text={title} />}
      {mayName && (
        <IconButton icon="edit" label="Name this thread" onClick={() => setText(title ?? '')} />
      )}
    </h2>
  );
}
