import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { NamedEmoji } from '../../emoji/emoji-search.ts';
import { BareField, focusWhenShown, onEscape } from '../shared/controls.tsx';

const offered: readonly NamedEmoji[] = [
  { emoji: '👍', name: 'yes' },
  { emoji: '❤️', name: 'heart' },
  { emoji: '😄', name: 'smile' },
  { emoji: '🎉', name: 'hooray' },
  { emoji: '👀', name: 'looking' },
  { emoji: '🚀', name: 'rocket' },
  { emoji: '✅', name: 'done' },
  { emoji: '🙏', name: 'thanks' },
];
const foundMax = 32;

/** Offers a few reactions, and finds all others by name. Esc closes it. */
export function EmojiPicker(props: { onChoose: (emoji: string) => void; onClose: () => void }) {
  const { onChoose, onClose } = props;
  const picker = useRef<HTMLDivElement>(null);
  const [text, setText] = useState('');
  const [found, setFound] = useState<readonly NamedEmoji[]>([]);
  const [isBelow, setBelow] = useState(false);
  const [hasFailed, setFailed] = useState(false);
  // The picker opens above the message, unless the list would cut it off there.
  useLayoutEffect(() => {
    const { top = 0 } = picker.current?.getBoundingClientRect() ?? {};
    const view = picker.current?.closest('.scroller')?.getBoundingClientRect();
    if (view !== undefined && !isBelow && top < view.top) setBelow(true);
  });
  useEffect(() => {
    let isCurrent = true;
    if (text.trim() === '') return setFound([]);
    import('../../emoji/emoji-search.ts').then(
      ({ searchEmojis }) => {
        if (isCurrent) setFound(searchEmojis(text, foundMax));
      },
      () => setFailed(true),
    );
    return () => {
      isCurrent = false;
    };
  }, [text]);
  const shown = text.trim() === '' ? offered : found;
  const buttons = () => [...(picker.current?.querySelectorAll('button') ?? [])];
  const onFieldKey = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const [first] = shown;
    if (event.key === 'Enter') {
      event.preventDefault();
      if (first !== undefined) onChoose(first.emoji);
    } else if (event.key === 'ArrowDown') {
      event.preventDefault();
      buttons()[0]?.focus();
    }
  };
  const onListKey = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const all = buttons();
    const next = all.indexOf(event.target as HTMLButtonElement) + step;
    if (next < 0) picker.current?.querySelector('input')?.focus();
    else all[next]?.focus();
  };
  return (
    <div
      class={`picker${isBelow ? ' below' : ''}`}
      ref={picker}
      role="group"
      aria-label="Reactions"
      onKeyDown={onEscape(onClose)}
    >
      <BareField
        ref={focusWhenShown}
        type="search"
        label="Find an emoji"
        value={text}
        onText={setText}
        onKeyDown={onFieldKey}
      />
      <div class="picker-list" onKeyDown={onListKey}>
        {shown.map(({ emoji, name }) => (
          <button
            key={emoji}
            type="button"
            class="emoji-button"
            title={name}
            aria-label={emoji}
            onClick={() => onChoose(emoji)}
          >
            {emoji}
          </button>
        ))}
      </div>
      {text.trim() !== '' && shown.length === 0 && (
        <p class="quiet small" role="status">
          {hasFailed ? 'The emoji could not be loaded.' : 'No emoji has this name.'}
        </p>
      )}
    </div>
  );
}
