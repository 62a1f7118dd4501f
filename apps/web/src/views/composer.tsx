import { useEffect, useRef, useState } from 'preact/hooks';
import { isContentTooLarge } from '@openclaw/protocol';
import { mentionAtCaret, mentionsIn } from '../markdown/mentions.ts';
import type { Chat } from '../store/chat.ts';
import { createTypingSignal } from '../store/typing-signal.ts';
import { Avatar } from './avatar.tsx';
import { Icon } from './icon.tsx';
import { usePage } from './page-state.ts';

const suggestionsMax = 6;
const rowsMax = 10;

/** Where to write. What is not sent yet is kept as a draft, for each channel and thread. */
export function Composer(props: {
  channelId: string | null;
  chat: Chat | null;
  /** To whom, where there is no direct channel yet. */
  agentId: string | null;
  threadId: string | null;
  isDisabled?: boolean;
}) {
  const { channelId, chat, agentId, threadId } = props;
  const { session, editing } = usePage();
  const { drafts } = session;
  const place = `${channelId ?? `@${agentId}`}${threadId === null ? '' : `/${threadId}`}`;
  const text = drafts.value[place] ?? '';
  const field = useRef<HTMLTextAreaElement>(null);
  const [naming, setNaming] = useState<string | null>(null);
  const [chosen, setChosen] = useState(0);
  const typing = useRef(
    createTypingSignal((isTyping) => {
      if (channelId === null) return;
      const channel = session.client.channel(channelId);
      const said = isTyping
        ? channel.startTyping(threadId ?? undefined)
        : channel.stopTyping(threadId ?? undefined);
      // Late, a typing signal is worth nothing, so it is not said again.
      said.catch(() => {});
    }),
  ).current;

  useEffect(() => () => typing.stop(), []);
  useEffect(() => {
    // A phone's keyboard is not to jump up unasked.
    if (matchMedia('(min-width: 720px)').matches) field.current?.focus();
  }, [place]);

  const members = chat?.members.value;
  const suggestions =
    naming === null || members === undefined
      ? []
      : [...members.keys()]
          .filter((id) => id !== session.me && id.toLowerCase().includes(naming.toLowerCase()))
          .sort(
            (a, b) =>
              Number(b.startsWith(naming)) - Number(a.startsWith(naming)) || a.localeCompare(b),
          )
          .slice(0, suggestionsMax);

  const setText = (next: string) => {
    const others = { ...drafts.value };
    if (next === '') delete others[place];
    else others[place] = next;
    drafts.value = others;
  };
  const onInput = (element: HTMLTextAreaElement) => {
    setText(element.value);
    setNaming(mentionAtCaret(element.value, element.selectionStart));
    setChosen(0);
    if (element.value.trim() === '') typing.stop();
    else typing.typed();
  };
  const complete = (name: string) => {
    const element = field.current;
    if (element === null) return;
    const caret = element.selectionStart;
    // At once, so that what is typed next goes behind it.
    element.setRangeText(`${name} `, caret - (naming?.length ?? 0), caret, 'end');
    element.focus();
    setText(element.value);
    setNaming(null);
  };
  const isTooLarge = isContentTooLarge(text);
  const send = () => {
    // As it now is: what was typed last may not be drawn yet.
    const content = (drafts.value[place] ?? '').trim();
    if (content === '' || isTooLarge || props.isDisabled) return;
    const mentions = mentionsIn(content, (name) => members?.has(name) ?? false);
    session.outbox.send({ channelId, agentId, threadId, content, mentions });
    setText('');
    setNaming(null);
    typing.sent();
    if (chat !== null && threadId === null) {
      chat.isFollowing.value = true;
      if (chat.timeline.peek().hasNewer) {
        session.chats
          .historyOf(chat)
          .newest()
          .catch((error: unknown) => {
            session.notices.report('The newest messages could not be read', error);
          });
      }
    }
  };
  const editLast = () => {
    const own = chat?.timeline
      .peek()
      .entries.findLast(
        (entry) =>
          entry.kind === 'message' &&
          entry.message.senderId === session.me &&
          entry.message.deletedAt === null,
      );
    if (own?.kind === 'message') editing.value = own.message.id;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const suggested = suggestions[Math.min(chosen, suggestions.length - 1)];
    if (suggested !== undefined) {
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        event.preventDefault();
        const step = event.key === 'ArrowDown' ? 1 : suggestions.length - 1;
        return setChosen((chosen + step) % suggestions.length);
      }
      if (event.key === 'Enter' || event.key === 'Tab') {
        event.preventDefault();
        return complete(suggested);
      }
      if (event.key === 'Escape') {
        event.stopPropagation();
        return setNaming(null);
      }
    }
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === 'ArrowUp' && text === '') {
      event.preventDefault();
      editLast();
    }
  };

  const name = chat?.channel.value.name ?? agentId ?? '';
  const isDirect = chat === null || chat.channel.value.kind === 'direct';
  const label = threadId !== null ? 'Reply' : isDirect ? 'Write a message' : `Write to #${name}`;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {suggestions.length > 0 && (
        <ul class="suggestions" id={`${place}-names`} role="listbox" aria-label="Members">
          {suggestions.map((id, index) => (
            <li
              key={id}
              id={`${place}-${id}`}
              role="option"
              aria-selected={index === chosen}
              onPointerDown={(event) => {
                event.preventDefault();
                complete(id);
              }}
            >
              <Avatar
                agentId={id}
                avatar={chat?.presences.value.get(id)?.avatar}
                status={chat?.presences.value.get(id)?.status ?? 'offline'}
                isSmall
              />
              {id}
            </li>
          ))}
        </ul>
      )}
      <textarea
        ref={field}
        dir="auto"
        aria-label={label}
        placeholder={label}
        rows={Math.min(rowsMax, text.split('\n').length)}
        value={text}
        disabled={props.isDisabled}
        aria-autocomplete="list"
        aria-controls={suggestions.length > 0 ? `${place}-names` : undefined}
        onInput={(event) => onInput(event.currentTarget)}
        onKeyDown={onKeyDown}
        onBlur={() => setNaming(null)}
      />
      <button
        class="send"
        type="submit"
        aria-label="Send"
        disabled={text.trim() === '' || isTooLarge || props.isDisabled}
      >
        <Icon name="send" />
      </button>
      {isTooLarge && (
        <p class="problem" role="alert">
          Too long to be sent: shorten it to about 32,000 characters.
        </p>
      )}
    </form>
  );
}
