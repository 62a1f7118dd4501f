import type { ComponentChildren } from 'preact';
import { IconButton } from './icon.tsx';

/** A pane beside a conversation; Esc closes it. `head` replaces its title. */
export function Pane(props: {
  title: string;
  head?: ComponentChildren;
  onClose: () => void;
  children: ComponentChildren;
}) {
  return (
    <aside
      class="pane"
      aria-label={props.title}
      onKeyDown={(event) => {
        // In a dialog, Esc closes the dialog only.
        const isInDialog = (event.target as Element).closest('dialog') !== null;
        if (event.key === 'Escape' && !event.defaultPrevented && !isInDialog) props.onClose();
      }}
    >
      <header class="pane-head">
        {props.head ?? <h2>{props.title}</h2>}
        <IconButton icon="close" label={`Close: ${props.title}`} onClick={props.onClose} />
      </header>
      {props.children}
    </aside>
  );
}
