import { useEffect, useRef, useState } from 'preact/hooks';
import { isContentTooLarge } from '@openclaw/protocol';
import { mentionAtCaret, mentionsIn } from '../../markdown/mentions.ts';
import type { Chat } from '../../store/chat.ts';
import { createTypingSignal } from './typing-signal.ts';
import { keepDraft } from './drafts.ts';
import { Icon } from '../shared/icon.tsx';
import { lastOwn } from './editing.ts';
import { NameSuggestions, suggestNames } from './name-suggestions.tsx';
import { usePage } from '../../page/page-state.ts';
import { draftKeyOf, placeIn } from './compose-target.ts';

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
  const place =
    chat === null
      ? { channelId, peer: agentId, threadId }
      : placeIn(chat.channel.value, threadId, session.me);
  const key = draftKeyOf(place);
  const text = session.drafts.value[key] ?? '';
  const field = useRef<HTMLTextAreaElement>(null);
  /** Where the caret was when it was last asked whose name is written there. */
  const caret = useRef(0);
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
  }, [key]);

  const members = chat?.members.value;
  const suggestions =
    naming === null || members === undefined
      ? []
      : suggestNames(members.keys(), naming, session.me);
  const suggested = suggestions[Math.min(chosen, suggestions.length - 1)];

  const setText = (next: string) => keepDraft(session, key, next === '' ? null : next);
  const readName = (element: HTMLTextAreaElement) => {
    caret.current = element.selectionStart;
    setNaming(mentionAtCaret(element.value, element.selectionStart));
    setChosen(0);
  };
  const onCaret = (element: HTMLTextAreaElement) => {
    // A key that leaves it where it is, as Esc does, opens nothing anew.
    if (element.selectionStart !== caret.current) readName(element);
  };
  const onInput = (element: HTMLTextAreaElement) => {
    setText(element.value);
    readName(element);
    if (element.value.trim() === '') typing.stop();
    else typing.typed();
  };
  const complete = (name: string) => {
    const element = field.current;
    if (element === null) return;
    const end = element.selectionStart;
    const begun = mentionAtCaret(element.value, end);
    setNaming(null);
    if (begun === null) return;
    // At once, so that what is typed next goes behind it.
    element.setRangeText(`${name} `, end - begun.length, end, 'end');
    element.focus();
    caret.current = element.selectionStart;
    setText(element.value);
  };
  const isTooLarge = isContentTooLarge(text);
  const send = () => {
    // As it now is: what was typed last may not be drawn yet.
    const content = (session.drafts.value[key] ?? '').trim();
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
    const isInThread = threadId !== null;
    const entries = (isInThread ? chat?.thread : chat?.timeline)?.peek()?.entries ?? [];
    const own = lastOwn(entries, session.me, threadId);
    if (own !== null) editing.value = { messageId: own.id, seq: own.seq, isInThread };
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
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

  const listId = `names-${key}`;
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
      {chat !== null && suggestions.length > 0 && (
        <NameSuggestions
          id={listId}
          chat={chat}
          names={suggestions}
          chosen={suggested}
          onChoose={complete}
        />
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
        aria-controls={suggested === undefined ? undefined : listId}
        aria-activedescendant={suggested === undefined ? undefined : `${listId}-${suggested}`}
        onInput={(event) => onInput(event.currentTarget)}
        onKeyDown={onKeyDown}
        onKeyUp={(event) => onCaret(event.currentTarget)}
        onSelect={(event) => onCaret(event.currentTarget)}
        onClick={(event) => onCaret(event.currentTarget)}
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
