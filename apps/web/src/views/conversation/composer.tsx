import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { isContentTooLarge, parseMentions, resolveMentions } from '@openclaw/protocol';
import { visibleString } from '../../markdown/visible-text.ts';
import { nameInText } from '../../store/agent-names.ts';
import type { Chat } from '../../store/chat.ts';
import { typistsIn } from '../../store/reducers.ts';
import { usePage } from '../page-state.ts';
import { Icon, Problem } from '../shared/controls.tsx';
import { type ComposeTarget, draftKey, setDraft } from './compose-target.ts';
import { lastOwnMessage } from './editing.ts';
import { NameSuggestions, useNameSuggestions } from './name-suggestions.tsx';
import { typingSummary } from './summaries.ts';

const rowsMax = 10;
const tooLargeText = 'This message is too long: shorten it to about 32,000 characters.';

/** Each channel and thread has its own draft until it is sent. */
export function Composer(props: {
  /** Null while the direct channel does not exist yet. */
  chat: Chat | null;
  target: ComposeTarget;
  isDisabled?: boolean;
  /** Called when the reader sends a message, so that it can be scrolled into view. */
  onSent?: () => void;
}) {
  const { chat, target } = props;
  const { channelId, threadId } = target;
  const { session, editing } = usePage();
  const key = draftKey(target);
  const text = session.drafts.value[key] ?? '';
  const setText = (next: string) => setDraft(session, key, next === '' ? null : next);
  const field = useRef<HTMLTextAreaElement>(null);
  const names = useNameSuggestions({ field, chat, me: session.me, onComplete: setText });
  const typing = useRef(
    createTypingSignal((isTyping) => {
      if (channelId === null) return;
      const channel = session.client.channel(channelId);
      const call = isTyping ? channel.startTyping(threadId) : channel.stopTyping(threadId);
      // A late typing signal is useless, so a failed call is not repeated.
      call.catch(() => {});
    }),
  ).current;

  useEffect(() => () => typing.stop(), []);
  useLayoutEffect(() => {
    // On a phone, focus would open the keyboard. While a reader is in the search results, the focus stays there.
    const isSearching = document.activeElement?.closest('[data-keeps-focus]') != null;
    if (matchMedia('(min-width: 720px)').matches && !isSearching) field.current?.focus();
  }, [key]);

  const onInput = (element: HTMLTextAreaElement) => {
    setText(element.value);
    names.read(element);
    if (element.value.trim() === '') typing.stop();
    else typing.typed();
  };
  const isTooLarge = isContentTooLarge(text);
  const send = () => {
    // `text` may lack the last typed character until the next render, but the draft has it.
    const content = (session.drafts.value[key] ?? '').trim();
    if (content === '' || isTooLarge || props.isDisabled) return;
    const isMember = (agentId: string) => chat?.members.value.has(agentId) ?? false;
    const mentions = resolveMentions(parseMentions(content), isMember).members;
    session.outbox.send({ channelId, agentId: target.peer, threadId, content, mentions });
    setText('');
    names.close();
    typing.sent();
    props.onSent?.();
    if (chat === null || threadId !== null) return;
    chat.isFollowing.value = true;
    if (!chat.timeline.peek().hasNewer) return;
    session.chats
      .historyOf(chat)
      .newest()
      .catch(session.notices.report('The newest messages could not be loaded'));
  };
  const editLast = () => {
    const isInThread = threadId !== null;
    const entries = (isInThread ? chat?.thread : chat?.timeline)?.peek()?.entries ?? [];
    const own = lastOwnMessage(entries, session.me, threadId);
    if (own !== null) editing.value = { messageId: own.id, seq: own.seq, isInThread };
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing || names.onKeyDown(event)) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === 'ArrowUp' && text === '' && !event.altKey) {
      event.preventDefault();
      editLast();
    }
  };

  const listId = `names-${key}`;
  const isDirect = chat === null || chat.channel.value.kind === 'direct';
  const writeLabel = isDirect ? 'Write a message' : `Write to #${chat.channel.value.name}`;
  const label = threadId !== null ? 'Reply' : writeLabel;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {chat !== null && names.names.length > 0 && (
        <NameSuggestions
          id={listId}
          chat={chat}
          names={names.names}
          chosen={names.chosen}
          onChoose={names.complete}
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
        aria-controls={names.chosen === undefined ? undefined : listId}
        aria-activedescendant={names.chosen === undefined ? undefined : `${listId}-${names.chosen}`}
        onInput={(event) => onInput(event.currentTarget)}
        onKeyDown={onKeyDown}
        onKeyUp={(event) => names.onCaret(event.currentTarget)}
        onSelect={(event) => names.onCaret(event.currentTarget)}
        onClick={(event) => names.onCaret(event.currentTarget)}
        onBlur={names.close}
      />
      <button
        class="send"
        type="submit"
        aria-label="Send"
        disabled={text.trim() === '' || isTooLarge || props.isDisabled}
      >
        <Icon name="send" />
      </button>
      <Problem text={isTooLarge ? tooLargeText : null} />
    </form>
  );
}

/** The line keeps its height when no agent is typing, so that the composer does not move. */
export function TypingLine({ chat, threadId }: { chat: Chat; threadId: string | null }) {
  const { me } = usePage().session;
  const agentIds = typistsIn(chat.typing.value, threadId);
  const others = agentIds.filter((agentId) => agentId !== me);
  const text = typingSummary(
    others.map((agentId) => visibleString(nameInText(chat.members.value, agentId))),
  );
  return (
    <p class="typing-line line quiet small ellipsis" aria-live="off">
      {text !== null && (
        <>
          <span class="typing-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {text}
        </>
      )}
    </p>
  );
}

// The hub ends typing 10 s after the last report, so continued typing is reported again before that. A stop is reported
// after a pause of `pauseMs`.
const repeatMs = 5_000;
const pauseMs = 6_000;

/** `report` is called when typing starts, every few seconds while it continues, and when it stops. */
export function createTypingSignal(report: (isTyping: boolean) => void) {
  let reportedAtMs: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  function end(isReported: boolean) {
    clearTimeout(timer);
    if (reportedAtMs !== null && isReported) report(false);
    reportedAtMs = null;
  }
  return {
    typed() {
      const nowMs = Date.now();
      if (reportedAtMs === null || nowMs - reportedAtMs >= repeatMs) {
        reportedAtMs = nowMs;
        report(true);
      }
      clearTimeout(timer);
      timer = setTimeout(() => end(true), pauseMs);
    },
    /** Call it after a send. The hub ends the typing with the message, so nothing is reported. */
    sent: () => end(false),
    stop: () => end(true),
  };
}
