import { useEffect, useState } from 'preact/hooks';
import type { Chat } from '../../store/chat.ts';
import { useFollowingScroll } from '../../windowing/use-following-scroll.ts';
import { closeThread } from '../conversation/channel-header.tsx';
import { Composer } from '../conversation/composer.tsx';
import { isContinued } from '../conversation/conversation.tsx';
import { editedIn } from '../conversation/edited-in.ts';
import { EntryRow } from '../conversation/entry-row.tsx';
import { OutgoingList } from '../conversation/outgoing-list.tsx';
import { usePage } from '../../page/page-state.ts';
import { Pane } from '../shared/pane.tsx';
import { ThreadTitle } from './thread-title.tsx';

/** A message and its replies, beside the channel. */
export function ThreadPane({ chat, threadId }: { chat: Chat; threadId: string }) {
  const { session, editing } = usePage();
  const [isLoading, setLoading] = useState(false);
  const thread = chat.thread.value?.threadId === threadId ? chat.thread.value : null;
  const entries = thread?.entries ?? [];
  const { hasOlder, isLoaded } = thread ?? { hasOlder: false, isLoaded: false };
  const isEditing = editedIn(entries, editing.value, true) !== null;
  const scroll = useFollowingScroll(entries[0]?.seq, isEditing);
  const history = session.chats.historyOf(chat);
  const report = (error: unknown) => {
    if (session.client.state === 'live')
      session.notices.report('The thread could not be read', error);
  };

  useEffect(() => {
    history.openThread(threadId).catch(report);
    return () => history.closeThread(threadId);
  }, [chat, threadId]);
  const loadOlder = () => {
    setLoading(true);
    history
      .olderReplies()
      .catch(report)
      .finally(() => setLoading(false));
  };

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
            <button class="pane-note-button" disabled={isLoading} onClick={loadOlder}>
              {isLoading ? 'Reading…' : 'Older replies'}
            </button>
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
        <Composer channelId={chat.id} chat={chat} agentId={null} threadId={threadId} />
      )}
    </Pane>
  );
}
