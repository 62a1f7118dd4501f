import type { RefObject } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { mentionAtCaret } from '../../markdown/mention-at-caret.ts';
import type { Chat } from '../../store/chat.ts';
import { Avatar, unknownPresence } from '../shared/agents.tsx';

const shownMax = 6;

function suggestNames(agentIds: Iterable<string>, text: string, me: string): string[] {
  return [...agentIds]
    .filter((id) => id !== me && id.toLowerCase().includes(text.toLowerCase()))
    .sort((a, b) => Number(b.startsWith(text)) - Number(a.startsWith(text)) || a.localeCompare(b))
    .slice(0, shownMax);
}

export function useNameSuggestions(options: {
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly chat: Chat | null;
  readonly me: string;
  readonly onComplete: (text: string) => void;
}) {
  const { field, chat, me } = options;
  const caret = useRef(0);
  const [mention, setMention] = useState<string | null>(null);
  const [index, setIndex] = useState(0);
  const members = chat?.members.value;
  const names =
    mention === null || members === undefined ? [] : suggestNames(members.keys(), mention, me);
  const chosen = names[Math.min(index, names.length - 1)];

  const read = (element: HTMLTextAreaElement) => {
    caret.current = element.selectionStart;
    setMention(mentionAtCaret(element.value, element.selectionStart));
    setIndex(0);
  };
  const close = () => setMention(null);
  const complete = (name: string) => {
    const element = field.current;
    if (element === null) return;
    const end = element.selectionStart;
    const begun = mentionAtCaret(element.value, end);
    close();
    if (begun === null) return;
    // The field changes at once and not at the next render, so that keys typed meanwhile go after the name.
    element.setRangeText(`${name} `, end - begun.length, end, 'end');
    element.focus();
    caret.current = element.selectionStart;
    options.onComplete(element.value);
  };

  return {
    names,
    chosen,
    read,
    close,
    complete,
    onCaret(element: HTMLTextAreaElement) {
      // A key that does not move the caret must not open the list. Otherwise Esc could not close it.
      if (element.selectionStart !== caret.current) read(element);
    },
    /** Returns true when the key was for the list of suggestions. */
    onKeyDown(event: KeyboardEvent): boolean {
      if (chosen === undefined) return false;
      switch (event.key) {
        case 'ArrowDown':
        case 'ArrowUp':
          event.preventDefault();
          setIndex((index + (event.key === 'ArrowDown' ? 1 : names.length - 1)) % names.length);
          return true;
        case 'Enter':
        case 'Tab':
          event.preventDefault();
          complete(chosen);
          return true;
        case 'Escape':
          event.stopPropagation();
          close();
          return true;
        default:
          return false;
      }
    },
  };
}

export function NameSuggestions(props: {
  id: string;
  chat: Chat;
  names: readonly string[];
  chosen: string | undefined;
  onChoose: (name: string) => void;
}) {
  const presences = props.chat.presences.value;
  return (
    <ul class="suggestions" id={props.id} role="listbox" aria-label="Members">
      {props.names.map((name) => (
        <li
          key={name}
          class="line"
          id={`${props.id}-${name}`}
          role="option"
          aria-selected={name === props.chosen}
          onPointerDown={(event) => {
            event.preventDefault();
            props.onChoose(name);
          }}
        >
          <Avatar {...(presences.get(name) ?? unknownPresence)} agentId={name} isSmall />
          {name}
        </li>
      ))}
    </ul>
  );
}
