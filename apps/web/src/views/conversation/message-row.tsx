import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Message, Thread } from '@openclaw/protocol';
import { parseMarkdown } from '../../markdown/parse.ts';
import { renderMarkdown } from '../../markdown/render.ts';
import { channelRoute, hashOf } from '../../page/route.ts';
import type { Chat } from '../../store/chat.ts';
import { type Editing, usePage } from '../page-state.ts';
import { AskStates } from '../decisions/ask-states.tsx';
import { AgentName, Avatar, IsolatedText } from '../shared/agents.tsx';
import { fullTimeText, timeText } from '../shared/format-time.ts';
import { editDraftKey, setDraft } from './compose-target.ts';
import { endWords, GrowingContent } from './growing-content.tsx';
import { markUnread, MessageActions, Reactions } from './message-actions.tsx';
import { threadSummary } from './summaries.ts';

const foldedChars = 3_000;
const foldedLines = 40;

export function MessageRow(props: {
  chat: Chat;
  message: Message;
  isContinued: boolean;
  isInThread: boolean;
  thread: Thread | undefined;
  newReplies: number;
}) {
  const { chat, message, isContinued, thread, newReplies } = props;
  const { session, editing } = usePage();
  const presence = chat.presences.value.get(message.senderId);
  const isMentioned = message.mentions.includes(session.me);
  const isEditing =
    editing.value?.messageId === message.id && editing.value.isInThread === props.isInThread;
  const isDeleted = message.deletedAt !== null;
  const replies = thread === undefined ? null : threadSummary(thread);
  // The actions and the full date are costly, so only the message with the pointer or the focus
  // renders them.
  const [isHovered, setHovered] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const isActive = isHovered || isFocused;
  const fullTime = isActive ? fullTimeText(message.timestamp) : undefined;
  return (
    <article
      tabIndex={0}
      onPointerEnter={() => setHovered(true)}
      onPointerLeave={() => setHovered(false)}
      onFocusIn={() => setFocused(true)}
      onFocusOut={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setFocused(false);
      }}
      onKeyDown={(event) => {
        const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
        if (event.target !== event.currentTarget || event.key !== 'u' || !isPlain) return;
        if (!props.isInThread) markUnread(session, chat, message);
      }}
      class={`message${isContinued ? ' continued' : ''}${isMentioned ? ' mentioned' : ''}`}
      data-message={message.id}
    >
      <div class="gutter">
        {isContinued ? (
          <time class="gutter-time quiet" title={fullTime}>
            {timeText(message.timestamp)}
          </time>
        ) : (
          <Avatar {...presence} agentId={message.senderId} />
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
              <AgentName members={chat.members.value} agentId={message.senderId} />
            </a>
            <time class="quiet" title={fullTime}>
              {timeText(message.timestamp)}
            </time>
          </header>
        )}
        {isDeleted ? (
          <p class="deleted quiet">This message was deleted.</p>
        ) : isEditing ? (
          <EditMessage chat={chat} message={message} />
        ) : message.state === 'streaming' ? (
          <GrowingContent key={message.id} chat={chat} message={message} />
        ) : (
          <Content message={message} />
        )}
        {!isDeleted && message.ask !== undefined && (
          <AskStates chat={chat} askId={message.id} ask={message.ask} />
        )}
        {!isDeleted && <Reactions chat={chat} message={message} />}
        {replies !== null && (
          <a class="replies" href={hashOf(channelRoute(chat.id, message.id))}>
            <IsolatedText text={replies} />
            {newReplies > 0 && <span class="badge badge-mention">{newReplies} new</span>}
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
  const [showsAll, setShowsAll] = useState(false);
  const { content } = message;
  const isLong =
    content.length > foldedChars || content.split('\n', foldedLines + 1).length > foldedLines;
  const shown = isLong && !showsAll ? shortened(content) : content;
  return (
    <div class="content">
      {renderMarkdown(parseMarkdown(shown), { me, mentions: message.mentions })}
      {endWords[message.state] !== null && (
        <span class="edited quiet">({endWords[message.state]})</span>
      )}
      {message.editedAt !== null && (
        <span class="edited quiet" title={fullTimeText(message.editedAt)}>
          (edited)
        </span>
      )}
      {isLong && (
        <button class="link" onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? 'Show less' : `Show all ${content.length.toLocaleString()} characters`}
        </button>
      )}
    </div>
  );
}

function shortened(content: string): string {
  const lines = content.slice(0, foldedChars).split('\n').slice(0, foldedLines).join('\n');
  return `${lines}…`;
}

// An edit takes the focus only once. A row that is scrolled out of view and back must not take it
// again.
const focused = new WeakSet<Editing>();

/**
 * Enter saves, Esc cancels. The text is kept as a draft, because the row may be scrolled out of view before the edit
 * is saved.
 */
export function EditMessage({ chat, message }: { chat: Chat; message: Message }) {
  const { session, editing } = usePage();
  const key = editDraftKey(message.id);
  const text = session.drafts.value[key] ?? message.content;
  const field = useRef<HTMLTextAreaElement>(null);
  // The user may press a key as soon as the editor is visible, so it gets the focus before it is painted.
  useLayoutEffect(() => {
    const element = field.current;
    const current = editing.value;
    if (element === null || current === null || focused.has(current)) return;
    focused.add(current);
    // The list scrolls the whole editor into view. The browser would scroll only the text field.
    element.focus({ preventScroll: true });
    element.setSelectionRange(element.value.length, element.value.length);
  }, [editing.value]);
  const cancel = () => {
    editing.value = null;
    setDraft(session, key, null);
  };
  const save = () => {
    // Reads the draft, because `text` may lack the last typed character until the next render.
    const content = session.drafts.value[key] ?? message.content;
    if (content.trim() === '' || content === message.content) return cancel();
    editing.value = null;
    session.client
      .channel(chat.id)
      .edit(message.id, content)
      .then(() => {
        if (session.drafts.value[key] === content) setDraft(session, key, null);
      })
      .catch(session.notices.report('The edit was not saved; edit again to continue it'));
  };
  return (
    <div class="edit">
      <textarea
        ref={field}
        aria-label="Edit the message"
        dir="auto"
        rows={Math.min(12, text.split('\n').length)}
        value={text}
        onInput={(event) => setDraft(session, key, event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            // Esc must not also close the pane around the editor.
            event.preventDefault();
            cancel();
          } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            save();
          }
        }}
      />
      <div class="edit-actions">
        <button class="link" onClick={cancel}>
          Cancel
        </button>
        <button class="link" onClick={save}>
          Save
        </button>
        <span class="quiet">
          The old text stays in the log. Only deleting the message removes it.
        </span>
      </div>
    </div>
  );
}
