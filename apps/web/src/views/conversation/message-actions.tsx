import { useRef, useState } from 'preact/hooks';
import type { Message } from '@openclaw/protocol';
import { visibleString } from '../../markdown/visible-text.ts';
import { copyFrom } from '../../page/clipboard.ts';
import { channelRoute, hashOf } from '../../page/route.ts';
import type { Session } from '../../session/session.ts';
import { nameInText } from '../../store/agent-names.ts';
import { isReadOnly, type Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';
import { EmojiPicker } from './emoji-picker.tsx';
import { ConfirmDialog, IconButton, useOutsidePress } from '../shared/controls.tsx';

export function MessageActions(props: { chat: Chat; message: Message; isInThread: boolean }) {
  const { chat, message, isInThread } = props;
  const { session, editing } = usePage();
  const [isPicking, setPicking] = useState(false);
  const [isConfirming, setConfirming] = useState(false);
  const actions = useRef<HTMLDivElement>(null);
  useOutsidePress(actions, () => setPicking(false));
  const isMine = message.senderId === session.me;
  const mayDelete = isMine || chat.members.value.get(session.me)?.role === 'owner';
  const isClosed = isReadOnly(chat);
  const remove = () => {
    setConfirming(false);
    session.client
      .channel(chat.id)
      .delete(message.id)
      .catch(session.notices.report('The message was not deleted'));
  };
  return (
    <div class="message-actions" ref={actions}>
      {!isClosed && (
        <IconButton
          icon="smile"
          label="React"
          aria-expanded={isPicking}
          onClick={() => setPicking(!isPicking)}
        />
      )}
      {!isInThread && !isClosed && (
        <IconButton
          icon="reply"
          label="Reply in a thread"
          onClick={() => session.router.go(channelRoute(chat.id, message.id))}
        />
      )}
      <IconButton
        icon="copy"
        label="Copy the text"
        title="Copy the text"
        onClick={(event) => void copyFrom(event.currentTarget, message.content)}
      />
      <IconButton
        icon="link"
        label="Copy a link"
        title="Copy a link to this message"
        onClick={(event) => void copyFrom(event.currentTarget, linkTo(message))}
      />
      {!isInThread && !chat.isObserved.value && (
        <IconButton
          icon="unread"
          label="Mark unread"
          title="Mark unread from here (U)"
          onClick={() => markUnread(session, chat, message)}
        />
      )}
      {isMine && !isClosed && (
        <IconButton
          icon="edit"
          label="Edit"
          onClick={() => (editing.value = { messageId: message.id, seq: message.seq, isInThread })}
        />
      )}
      {mayDelete && !isClosed && (
        <IconButton
          icon="trash"
          label="Delete"
          extraClass="dangerous"
          onClick={() => setConfirming(true)}
        />
      )}
      {isPicking && (
        <EmojiPicker
          onClose={() => setPicking(false)}
          onChoose={(emoji) => {
            setPicking(false);
            toggleReaction(session, chat, message, emoji);
          }}
        />
      )}
      {isConfirming && (
        <ConfirmDialog
          label="Delete this message?"
          text="Its text is removed for everyone."
          action="Delete"
          isDangerous
          onConfirm={remove}
          onClose={() => setConfirming(false)}
        />
      )}
    </div>
  );
}

/** Marks this message and all later ones as unread. They stay unread until the reader returns to the channel. */
export function markUnread({ chats, notices }: Session, chat: Chat, message: Message): void {
  chats.markUnread(chat, message).catch(notices.report('The message was not marked as unread'));
}

function linkTo({ channelId, threadId, seq }: Message): string {
  return new URL(hashOf(channelRoute(channelId, threadId, seq)), document.baseURI).href;
}

const shownMax = 20;
const namedMax = 10;

function toggleReaction(session: Session, chat: Chat, message: Message, emoji: string) {
  const channel = session.client.channel(chat.id);
  const isMine = message.reactions[emoji]?.includes(session.me) ?? false;
  const change = isMine ? channel.unreact(message.id, emoji) : channel.react(message.id, emoji);
  change.catch(session.notices.report('The reaction was not saved'));
}

export function Reactions({ chat, message }: { chat: Chat; message: Message }) {
  const { session } = usePage();
  const [showsAll, setShowsAll] = useState(false);
  const all = Object.entries(message.reactions);
  if (all.length === 0) return null;
  const shown = showsAll ? all : all.slice(0, shownMax);
  return (
    <div class="reactions">
      {shown.map(([emoji, agents]) => (
        <button
          key={emoji}
          class="reaction small"
          aria-pressed={agents.includes(session.me)}
          title={visibleString(namesOf(agents.map((id) => nameInText(chat.members.value, id))))}
          disabled={isReadOnly(chat)}
          onClick={() => toggleReaction(session, chat, message, emoji)}
        >
          <span class="emoji ellipsis">{visibleString(emoji)}</span> {agents.length}
        </button>
      ))}
      {shown.length < all.length && (
        <button class="reaction small" onClick={() => setShowsAll(true)}>
          +{all.length - shown.length}
        </button>
      )}
    </div>
  );
}

function namesOf(agents: readonly string[]): string {
  const named = agents.slice(0, namedMax).join(', ');
  return agents.length > namedMax ? `${named} and ${agents.length - namedMax} more` : named;
}
