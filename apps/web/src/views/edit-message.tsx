import { useEffect, useRef, useState } from 'preact/hooks';
import type { Message } from '@openclaw/protocol';
import type { Chat } from '../store/chat.ts';
import { usePage } from './page-state.ts';

/** Changes one's own message in its place: Enter saves, Esc leaves it as it was. */
export function EditMessage({ chat, message }: { chat: Chat; message: Message }) {
  const { session, editing } = usePage();
  const [text, setText] = useState(message.content);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const element = field.current;
    element?.focus();
    element?.setSelectionRange(element.value.length, element.value.length);
  }, []);
  const save = () => {
    editing.value = null;
    if (text.trim() === '' || text === message.content) return;
    session.client
      .channel(chat.id)
      .edit(message.id, text)
      .catch((error: unknown) => {
        // What was written is not thrown away with the refusal.
        session.notices.add('The change was not saved', `${String(error)} — ${text}`);
      });
  };
  return (
    <div class="edit">
      <textarea
        ref={field}
        aria-label="Edit the message"
        dir="auto"
        rows={Math.min(12, text.split('\n').length)}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') editing.value = null;
          else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            save();
          }
        }}
      />
      <div class="edit-actions">
        <button class="link" onClick={() => (editing.value = null)}>
          Cancel
        </button>
        <button class="link" onClick={save}>
          Save
        </button>
      </div>
    </div>
  );
}
