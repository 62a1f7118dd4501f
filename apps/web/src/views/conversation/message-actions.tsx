import { useEffect, useRef, useState } from 'preact/hooks';
import type { Message } from '@openclaw/protocol';
import type { Chat } from '../../store/chat.ts';
import { Dialog } from '../shared/dialog.tsx';
import { Icon } from '../shared/icon.tsx';
import { usePage } from '../../page/page-state.ts';
import { quickEmojis, toggleReaction } from './reactions.tsx';
import { useOutsidePress } from '../shared/use-outside-press.ts';

/** What can be done with a message; shown where the pointer or the focus is. */
export function MessageActions(props: { chat: Chat; message: Message; isInThread: boolean }) {
  const { chat, message, isInThread } = props;
  const { session, editing } = usePage();
  const [isPicking, setPicking] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const actions = useRef<HTMLDivElement>(null);
  useOutsidePress(actions, () => setPicking(false));
  const isMine = message.senderId === session.me;
  const mayDelete = isMine || chat.members.value.get(session.me)?.role === 'owner';
  if (chat.channel.value.archivedAt !== null) return null;
  const remove = () => {
    setAsking(false);
    session.client
      .channel(chat.id)
      .delete(message.id)
      .catch((error: unknown) => session.notices.report('The message was not deleted', error));
  };
  return (
    <div class="message-actions" ref={actions}>
      <button
        class="icon-button"
        aria-label="React"
        aria-expanded={isPicking}
        onClick={() => setPicking(!isPicking)}
      >
        <Icon name="smile" />
      </button>
      {!isInThread && (
        <button
          class="icon-button"
          aria-label="Reply in a thread"
          onClick={() =>
            session.router.go({ view: 'channel', channelId: chat.id, threadId: message.id })
          }
        >
          <Icon name="reply" />
        </button>
      )}
      {isMine && (
        <button
          class="icon-button"
          aria-label="Edit"
          onClick={() => (editing.value = { messageId: message.id, seq: message.seq, isInThread })}
        >
          <Icon name="edit" />
        </button>
      )}
      {mayDelete && (
        <button class="icon-button" aria-label="Delete" onClick={() => setAsking(true)}>
          <Icon name="trash" />
        </button>
      )}
      {isPicking && (
        <EmojiPicker
          onClose={() => setPicking(false)}
          onPick={(emoji) => {
            setPicking(false);
            toggleReaction(session, chat, message, emoji);
          }}
        />
      )}
      {isAsking && (
        <Dialog label="Delete this message?" onClose={() => setAsking(false)}>
          <h2>Delete this message?</h2>
          <p>Its text is removed for everyone.</p>
          <div class="dialog-actions">
            <button onClick={() => setAsking(false)}>Cancel</button>
            <button class="primary" onClick={remove}>
              Delete
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

function EmojiPicker(props: { onPick: (emoji: string) => void; onClose: () => void }) {
  const picker = useRef<HTMLDivElement>(null);
  useEffect(() => {
    picker.current?.querySelector('button')?.focus();
  }, []);
  return (
    <div
      class="picker"
      role="group"
      aria-label="Reactions"
      ref={picker}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        // The pane around it stays open.
        event.preventDefault();
        props.onClose();
      }}
    >
      {quickEmojis.map((emoji) => (
        <button
          key={emoji}
          class="emoji-button"
          aria-label={emoji}
          onClick={() => props.onPick(emoji)}
        >
          {emoji}
        </button>
      ))}
    </div>
  );
}
