import { useEffect } from 'preact/hooks';
import type { Chat } from '../../store/chat.ts';
import { peerOf } from '../../store/channel-names.ts';
import { AgentFreeze, ChannelFreeze } from '../freezes/freeze-banner.tsx';
import { MembersPane } from '../members/members-pane.tsx';
import { usePage } from '../page-state.ts';
import { Avatar, presenceText, usePresence } from '../shared/agents.tsx';
import { TurnLine } from '../turns/turn-line.tsx';
import { ThreadPane } from '../thread/thread-pane.tsx';
import { ObserverBar } from '../observe/observer-bar.tsx';
import { ChannelHeader } from './channel-header.tsx';
import { composeTarget } from './compose-target.ts';
import { Composer, TypingLine } from './composer.tsx';
import { Conversation } from './conversation.tsx';
import { OutgoingList } from './outgoing-list.tsx';

export function ChatView({ chat, threadId }: { chat: Chat; threadId: string | null }) {
  const { session, pane } = usePage();
  const target = composeTarget(chat.channel.value, null, session.me);
  const isArchived = chat.channel.value.archivedAt !== null;

  useEffect(() => {
    session.chats
      .open(chat)
      .catch(session.notices.reportWhileLive('The history could not be loaded'));
    // No event tells of a freeze that was set while the channel was not subscribed.
    void session.freezes.read();
    session
      .loadTurns(chat.id)
      .catch(session.notices.reportWhileLive('What the agents are doing could not be loaded'));
  }, [chat]);

  return (
    <div class="chat fill">
      <main class="conversation-column column fill" aria-label="Conversation" tabIndex={-1}>
        <ChannelHeader chat={chat} />
        <ChannelFreeze chat={chat} />
        {chat.channel.value.kind === 'direct' && !chat.isObserved.value && (
          <AgentFreeze agentId={peerOf(chat.channel.value, session.me)} />
        )}
        <Conversation chat={chat} footer={<OutgoingList target={target} />} />
        <TurnLine chat={chat} threadId={null} />
        <TypingLine chat={chat} threadId={null} />
        {chat.isObserved.value ? (
          <ObserverBar channel={chat.channel.value} />
        ) : isArchived ? (
          <p class="read-only quiet">This channel is archived: it is read-only.</p>
        ) : (
          <Composer chat={chat} target={target} />
        )}
      </main>
      {threadId !== null ? (
        <ThreadPane key={threadId} chat={chat} threadId={threadId} />
      ) : pane.value === 'members' ? (
        <MembersPane chat={chat} />
      ) : null}
    </div>
  );
}

/**
 * Use it as the `ref` of a list whose newest row is last. Each render makes a new function, so each
 * render scrolls to the end.
 */
const endInView = () => (element: HTMLElement | null) => element?.scrollTo(0, element.scrollHeight);

export function DirectView({ agentId }: { agentId: string }) {
  const { session } = usePage();
  const presence = usePresence(agentId);
  useEffect(() => void session.hubPresence.read(), [agentId]);
  const target = { channelId: null, peer: agentId, threadId: null };
  const isMe = agentId === session.me;
  return (
    <div class="chat fill">
      <main class="conversation-column column fill" aria-label="Conversation" tabIndex={-1}>
        <header class="channel-header line">
          <div class="fill">
            <h1 class="line">{agentId}</h1>
            <p class="quiet small ellipsis">{presenceText(presence)}</p>
          </div>
        </header>
        <div class="beginning column scrolls" ref={endInView()}>
          <div class="empty column quiet fill">
            <Avatar {...presence} agentId={agentId} />
            <p>
              {isMe
                ? 'This is you.'
                : `No messages between you and ${agentId} yet. Write the first one below.`}
            </p>
          </div>
          <OutgoingList target={target} />
        </div>
        <Composer chat={null} target={target} isDisabled={isMe} />
      </main>
    </div>
  );
}
