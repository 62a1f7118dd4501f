import { useEffect, useRef } from 'preact/hooks';
import type { Message } from '@openclaw/protocol';
import type { Chat } from '../../store/chat.ts';
import { usePage, type Editing } from '../page-state.ts';
import { editDraftKey, setDraft } from './compose-target.ts';

// An edit takes the focus once: a row that is scrolled out of view and back must not take it again.
const focused = new WeakSet<Editing>();

/**
 * Edits an own message in its place: Enter saves, Esc cancels. The text is kept as a draft, since the row may be scrolled
 * out of view before it is saved.
 */
export function EditMessage({ chat, message }: { chat: Chat; message: Message }) {
  const { session, editing } = usePage();
  const key = editDraftKey(message.id);
  const text = session.drafts.value[key] ?? message.content;
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const element = field.current;
    const current = editing.value;
    if (element === null || current === null || focused.has(current)) return;
    focused.add(current);
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
  }, [editing.value]);
  const cancel = () => {
    editing.value = null;
    setDraft(session, key, null);
  };
  const save = () => {
    // Not `text`: the last key may not be drawn yet.
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
            // Keeps the pane around it open.
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
