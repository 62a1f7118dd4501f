import { useEffect } from 'preact/hooks';
import type { Chat } from '../../store/chat.ts';
import { ChannelHeader } from './channel-header.tsx';
import { Composer } from './composer.tsx';
import { Conversation } from './conversation.tsx';
import { MembersPane } from '../members/members-pane.tsx';
import { OutgoingList } from './outgoing-list.tsx';
import { usePage } from '../../page/page-state.ts';
import { SearchPane } from '../search/search-pane.tsx';
import { ThreadPane } from '../thread/thread-pane.tsx';
import { TypingLine } from './typing-line.tsx';

/** One channel: its conversation, where to write, and what stands open beside it. */
export function ChatView({ chat, threadId }: { chat: Chat; threadId: string | null }) {
  const { session, pane } = usePage();
  const isArchived = chat.channel.value.archivedAt !== null;

  useEffect(() => {
    session.chats.open(chat).catch((error: unknown) => {
      if (session.client.state === 'live')
        session.notices.report('The history could not be read', error);
    });
  }, [chat]);

  return (
    <div class="chat">
      <main class="conversation-column" aria-label="Conversation">
        <ChannelHeader chat={chat} />
        <Conversation chat={chat} footer={<OutgoingList chat={chat} threadId={null} />} />
        <TypingLine chat={chat} />
        {isArchived ? (
          <p class="read-only">
            This channel is archived: it can be read, and no longer written to.
          </p>
        ) : (
          <Composer channelId={chat.id} chat={chat} agentId={null} threadId={null} />
        )}
      </main>
      {threadId !== null ? (
        <ThreadPane key={threadId} chat={chat} threadId={threadId} />
      ) : pane.value === 'members' ? (
        <MembersPane chat={chat} />
      ) : pane.value === 'search' ? (
        <SearchPane chat={chat} />
      ) : null}
    </div>
  );
}
