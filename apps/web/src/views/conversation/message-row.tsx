import { useState } from 'preact/hooks';
import type { Message, Thread } from '@openclaw/protocol';
import { parseMarkdown } from '../../markdown/parse.ts';
import { renderMarkdown } from '../../markdown/render.ts';
import type { Chat } from '../../store/chat.ts';
import { hashOf } from '../../page/route.ts';
import { threadText } from '../../store/threads.ts';
import { AgentName } from '../shared/agent-name.tsx';
import { Avatar } from '../shared/avatar.tsx';
import { EditMessage } from './edit-message.tsx';
import { MessageActions } from './message-actions.tsx';
import { shortTimeText, timeText, wholeText } from '../shared/format-time.ts';
import { usePage } from '../../page/page-state.ts';
import { Plain } from '../shared/isolated-text.tsx';
import { Reactions } from './reactions.tsx';

const foldedChars = 3_000;
const foldedLines = 40;

/** A message with what was made of it: reactions, replies, and what its reader may do. */
export function MessageRow(props: {
  chat: Chat;
  message: Message;
  isContinued: boolean;
  isInThread: boolean;
  /** The thread that it is the root of, where it is shown among the channel's messages. */
  thread: Thread | undefined;
}) {
  const { chat, message, isContinued, thread } = props;
  const { session, editing } = usePage();
  const presence = chat.presences.value.get(message.senderId);
  const displayName = chat.members.value.get(message.senderId)?.displayName ?? null;
  const isMentioned = message.mentions.includes(session.me);
  const isEditing =
    editing.value?.messageId === message.id && editing.value.isInThread === props.isInThread;
  const isDeleted = message.deletedAt !== null;
  const answers = thread === undefined ? null : threadText(thread);
  // What can be done with a message, and its whole date, are made for the one that is pointed at or focused.
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const isActive = isPointed || isFocused;
  const moment = isActive ? wholeText(message.timestamp) : undefined;
  return (
    <article
      tabIndex={0}
      onPointerEnter={() => setPointed(true)}
      onPointerLeave={() => setPointed(false)}
      onFocusIn={() => setFocused(true)}
      onFocusOut={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setFocused(false);
      }}
      class={`message${isContinued ? ' continued' : ''}${isMentioned ? ' mentioned' : ''}`}
      data-message={message.id}
    >
      <div class="gutter">
        {isContinued ? (
          <time class="gutter-time" title={moment}>
            {shortTimeText(message.timestamp)}
          </time>
        ) : (
          <Avatar agentId={message.senderId} avatar={presence?.avatar} status={presence?.status} />
        )}
      </div>
      <div class="message-body">
        {!isContinued && (
          <header>
            <a
              class="author"
              href={hashOf({ view: 'direct', agentId: message.senderId })}
              title={`Write to ${message.senderId}`}
            >
              <AgentName agentId={message.senderId} displayName={displayName} />
            </a>
            <time title={moment}>{timeText(message.timestamp)}</time>
          </header>
        )}
        {isDeleted ? (
          <p class="deleted">This message was deleted.</p>
        ) : isEditing ? (
          <EditMessage chat={chat} message={message} />
        ) : (
          <Content message={message} />
        )}
        {!isDeleted && <Reactions chat={chat} message={message} />}
        {answers !== null && (
          <a
            class="replies"
            href={hashOf({ view: 'channel', channelId: chat.id, threadId: message.id })}
          >
            <Plain text={answers} />
          </a>
        )}
      </div>
      {isActive && !isDeleted && !isEditing && (
        <MessageActions chat={chat} message={message} isInThread={props.isInThread} />
      )}
    </article>
  );
}

function Content({ message }: { message: Message }) {
  const { me } = usePage().session;
  const [isWhole, setWhole] = useState(false);
  const { content } = message;
  const isLong =
    content.length > foldedChars || content.split('\n', foldedLines + 1).length > foldedLines;
  const shown = isLong && !isWhole ? shortened(content) : content;
  return (
    <div class="content">
      {renderMarkdown(parseMarkdown(shown), { me, mentions: message.mentions })}
      {message.editedAt !== null && (
        <span class="edited" title={wholeText(message.editedAt)}>
          (edited)
        </span>
      )}
      {isLong && (
        <button class="link" onClick={() => setWhole(!isWhole)}>
          {isWhole ? 'Show less' : `Show all ${content.length.toLocaleString()} characters`}
        </button>
      )}
    </div>
  );
}

function shortened(content: string): string {
  const lines = content.slice(0, foldedChars).split('\n').slice(0, foldedLines).join('\n');
  return `${lines}…`;
}
