import { useEffect, useRef, useState } from 'preact/hooks';
import { limits } from '@openclaw/protocol';
import type { Chat } from '../../store/chat.ts';
import { Icon } from '../shared/icon.tsx';
import { usePage } from '../../page/page-state.ts';
import { Plain } from '../shared/isolated-text.tsx';

/** What the thread is called, which those who may can change. */
export function ThreadTitle({ chat, threadId }: { chat: Chat; threadId: string }) {
  const { session } = usePage();
  const [text, setText] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const isOpen = text !== null;
  useEffect(() => {
    if (isOpen) field.current?.focus();
  }, [isOpen]);
  const thread = chat.threads.value.get(threadId);
  const title = thread?.title ?? null;
  const isOwner = chat.members.value.get(session.me)?.role === 'owner';
  const mayName =
    chat.channel.value.archivedAt === null &&
    (title === null || isOwner || thread?.createdBy === session.me);

  const save = async (event: Event) => {
    event.preventDefault();
    const next = text?.trim() ?? '';
    setText(null);
    if (next === (title ?? '')) return;
    const channel = session.client.channel(chat.id);
    try {
      // Of a thread that was made before, this changes nothing; then its title is changed.
      if (title === null && (await channel.createThread(threadId, next)).thread.title === next)
        return;
      await channel.updateThread(threadId, next === '' ? null : next);
    } catch (error) {
      session.notices.report('The thread was not named', error);
    }
  };

  if (text !== null) {
    return (
      <form class="inline-form thread-name" onSubmit={(event) => void save(event)}>
        <input
          aria-label="Name of the thread"
          value={text}
          maxLength={limits.titleChars}
          ref={field}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            event.preventDefault();
            setText(null);
          }}
        />
        <button type="submit">Save</button>
      </form>
    );
  }
  return (
    <h2 class="thread-name">
      {title === null ? 'Thread' : <Plain text={title} />}
      {mayName && (
        <button
          class="icon-button"
          aria-label="Name this thread"
          onClick={() => setText(title ?? '')}
        >
          <Icon name="edit" />
        </button>
      )}
    </h2>
  );
}
