import { useEffect, useRef } from 'preact/hooks';
import type { Chat } from '../store/chat.ts';
import { closeThread } from './channel-header.tsx';
import { Composer } from './composer.tsx';
import { isContinued } from './conversation.tsx';
import { EntryRow } from './entry-row.tsx';
import { OutgoingList } from './outgoing-list.tsx';
import { usePage } from './page-state.ts';
import { Pane } from './pane.tsx';
import { ThreadTitle } from './thread-title.tsx';

const drawnMax = 200;

/** A message and its replies, beside the channel. */
export function ThreadPane({ chat, threadId }: { chat: Chat; threadId: string }) {
  const { session } = usePage();
  const scroller = useRef<HTMLDivElement>(null);
  const thread = chat.thread.value;
  const entries = thread?.threadId === threadId ? thread.entries.slice(-drawnMax) : [];
  const { length } = entries;

  useEffect(() => {
    const history = session.chats.historyOf(chat);
    const read = () => {
      history.openThread(threadId).catch((error: unknown) => {
        if (session.client.state === 'live')
          session.notices.report('The thread could not be read', error);
      });
    };
    read();
    return () => history.closeThread(threadId);
  }, [chat, threadId]);
  useEffect(() => {
    const element = scroller.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  }, [length]);

  return (
    <Pane
      title="Thread"
      head={<ThreadTitle chat={chat} threadId={threadId} />}
      onClose={() => closeThread(session, chat)}
    >
      <div
        class="thread-scroll"
        ref={scroller}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Replies"
      >
        {entries.map((entry, index) => (
          <EntryRow
            key={entry.seq}
            chat={chat}
            entry={entry}
            isContinued={index > 1 && isContinued(entries[index - 1], entry)}
            isNewDay={false}
            isFirstNew={false}
            isMarked={false}
            isInThread
            thread={undefined}
          />
        ))}
        {thread?.isLoaded === true && length <= 1 && <p class="quiet pane-note">No replies yet.</p>}
        <OutgoingList chat={chat} threadId={threadId} />
      </div>
      {chat.channel.value.archivedAt === null && (
        <Composer channelId={chat.id} chat={chat} agentId={null} threadId={threadId} />
      )}
    </Pane>
  );
}
