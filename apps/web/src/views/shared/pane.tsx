import type { ComponentChildren } from 'preact';
import { Icon } from './icon.tsx';

/** What stands open beside a conversation; Esc closes it. `head` stands in the place of its title. */
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
        // In a dialog Esc closes the dialog alone.
        const isInDialog = (event.target as Element).closest('dialog') !== null;
        if (event.key === 'Escape' && !event.defaultPrevented && !isInDialog) props.onClose();
      }}
    >
      <header class="pane-head">
        {props.head ?? <h2>{props.title}</h2>}
        <button class="icon-button" aria-label={`Close: ${props.title}`} onClick={props.onClose}>
          <Icon name="close" />
        </button>
      </header>
      {props.children}
    </aside>
  );
}
