import { useEffect, useRef } from 'preact/hooks';
import type { Message } from '@openclaw/protocol';
import type { Chat } from '../../store/chat.ts';
import { keepDraft, editKeyOf } from './drafts.ts';
import { usePage, type Editing } from '../../page/page-state.ts';

// Whose row leaves the view and comes back does not take the focus from where one writes now.
const begun = new WeakSet<Editing>();

/**
 * Changes one's own message in its place: Enter saves, Esc leaves it as it was. The text is kept as a draft, as the row
 * may leave the view before it is saved.
 */
export function EditMessage({ chat, message }: { chat: Chat; message: Message }) {
  const { session, editing } = usePage();
  const key = editKeyOf(message.id);
  const text = session.drafts.value[key] ?? message.content;
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const element = field.current;
    const current = editing.value;
    if (element === null || current === null || begun.has(current)) return;
    begun.add(current);
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
  }, [editing.value]);
  const cancel = () => {
    editing.value = null;
    keepDraft(session, key, null);
  };
  const save = () => {
    // As it now is: what was typed last may not be drawn yet.
    const content = session.drafts.value[key] ?? message.content;
    if (content.trim() === '' || content === message.content) return cancel();
    editing.value = null;
    session.client
      .channel(chat.id)
      .edit(message.id, content)
      .then(() => {
        if (session.drafts.value[key] === content) keepDraft(session, key, null);
      })
      .catch((error: unknown) => {
        // What was written is not thrown away with the refusal.
        session.notices.report('The change was not saved; it is there when you edit again', error);
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
        onInput={(event) => keepDraft(session, key, event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            // The pane around it stays open.
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
          The former text stays in the log. Only deleting the message removes it.
        </span>
      </div>
    </div>
  );
}
