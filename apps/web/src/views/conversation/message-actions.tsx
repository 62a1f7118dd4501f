import { useRef, useState } from 'preact/hooks';
import type { Message } from '@openclaw/protocol';
import { channelRoute } from '../../page/route.ts';
import type { Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';
import { ConfirmDialog } from '../shared/dialog.tsx';
import { IconButton } from '../shared/icon.tsx';
import { useOutsidePress } from '../shared/use-outside-press.ts';
import { EmojiPicker } from './reactions.tsx';

/** The buttons of the message that has the pointer or the focus. */
export function MessageActions(props: { chat: Chat; message: Message; isInThread: boolean }) {
  const { chat, message, isInThread } = props;
  const { session, editing } = usePage();
  const [isPicking, setPicking] = useState(false);
  const [isConfirming, setConfirming] = useState(false);
  const actions = useRef<HTMLDivElement>(null);
  useOutsidePress(actions, () => setPicking(false));
  const isMine = message.senderId === session.me;
  const mayDelete = isMine || chat.members.value.get(session.me)?.role === 'owner';
  if (chat.channel.value.archivedAt !== null) return null;
  const remove = () => {
    setConfirming(false);
    session.client
      .channel(chat.id)
      .delete(message.id)
      .catch(session.notices.report('The message was not deleted'));
  };
  return (
    <div class="message-actions" ref={actions}>
      <IconButton
        icon="smile"
        label="React"
        aria-expanded={isPicking}
        onClick={() => setPicking(!isPicking)}
      />
      {!isInThread && (
        <IconButton
          icon="reply"
          label="Reply in a thread"
          onClick={() => session.router.go(channelRoute(chat.id, message.id))}
        />
      )}
      {isMine && (
        <IconButton
          icon="edit"
          label="Edit"
          onClick={() => (editing.value = { messageId: message.id, seq: message.seq, isInThread })}
        />
      )}
      {mayDelete && <IconButton icon="trash" label="Delete" onClick={() => setConfirming(true)} />}
      {isPicking && <EmojiPicker chat={chat} message={message} onClose={() => setPicking(false)} />}
      {isConfirming && (
        <ConfirmDialog
          label="Delete this message?"
          text="Its text is removed for everyone."
          action="Delete"
          onConfirm={remove}
          onClose={() => setConfirming(false)}
        />
      )}
    </div>
  );
}
