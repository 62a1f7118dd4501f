import type { ComponentChildren, ComponentProps, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

const paths = {
  hash: 'M5 9h14M5 15h14M10 4 8 20M16 4l-2 16',
  lock: 'M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3',
  plus: 'M12 5v14M5 12h14',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5',
  people:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-4 3-6 6.5-6s6.5 2 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5c2.3.8 3.5 2.8 3.5 5.5',
  chart: 'M4 20V10M10 20V4M16 20v-7M21 20H3',
  menu: 'M4 7h16M4 12h16M4 17h16',
  close: 'M6 6l12 12M18 6 6 18',
  smile:
    'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 14.5c1.8 2.300 5.200 2.300 7 0M9 9.5v.01M15 9.5v.01',
  reply: 'M4 5h16v11H10l-6 4z',
  edit: 'M4 20l1-5L16 4l4 4L9 19z',
  trash: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13',
  down: 'M12 5v14M6 13l6 6 6-6',
  up: 'M12 19V5M6 11l6-6 6 6',
  at: 'M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0zv1.500a2.500 2.500 0 0 0 5 0V12a9 9 0 1 0-3.500 7.100',
  send: 'M4 12 20 4l-5 16-4-7z',
  theme: 'M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18',
  out: 'M14 4H5v16h9M10 12h11M17 8l4 4-4 4',
  compass: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM15.5 8.5l-2 5-5 2 2-5z',
  star: 'M12 4l2.500 5.100 5.500.800-4 3.900 1 5.600-5-2.700-5 2.700 1-5.600-4-3.900 5.500-.800z',
  mute: 'M4 9v6h4l5 4V5L8 9zM17 9l5 6M22 9l-5 6',
  filter: 'M4 6h16M7 12h10M10 18h4',
  keyboard: 'M3 7h18v10H3zM7 11h.01M11 11h.01M15 11h.01M8 14h8',
  density: 'M4 6h16M4 10h16M4 14h16M4 18h16',
  opened: 'M6 9l6 6 6-6',
  closed: 'M9 6l6 6-6 6',
  unread: 'M5 4h14v12H9l-4 4zM12 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.500 2',
  moon: 'M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500z',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
  turns: 'M4 12a8 8 0 0 1 14-5l2 2M20 4v5h-5M20 12a8 8 0 0 1-14 5l-2-2M4 20v-5h5',
  more: 'M4 12a1 1 0 1 0 2 0a1 1 0 1 0-2 0M11 12a1 1 0 1 0 2 0a1 1 0 1 0-2 0M18 12a1 1 0 1 0 2 0a1 1 0 1 0-2 0',
} as const;

type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

export function IconButton({
  icon,
  label,
  extraClass = '',
  ...rest
}: { icon: IconName; label: string; extraClass?: string } & ComponentProps<'button'>) {
  return (
    <button {...rest} class={`icon-button ${extraClass}`} aria-label={label}>
      <Icon name={icon} />
    </button>
  );
}

type TextInputProps = ComponentProps<'input'> & {
  label: string;
  onText: (text: string) => void;
};

export function TextField({ label, onText, ...rest }: TextInputProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <input {...rest} onInput={(event) => onText(event.currentTarget.value)} />
    </label>
  );
}

/** A field without a visible label. The label is also the placeholder, unless another placeholder is given. */
export function BareField({ label, onText, ...rest }: TextInputProps) {
  return (
    <input
      aria-label={label}
      placeholder={label}
      {...rest}
      onInput={(event) => onText(event.currentTarget.value)}
    />
  );
}

export function matches(text: string, filter: string): boolean {
  return text.toLowerCase().includes(filter.toLowerCase());
}

/** Use it as the `ref` of an element that must have the focus when it appears. */
export const focusWhenShown = (element: HTMLElement | null) => element?.focus();

/** Handles Esc, so that the pane or dialog around the element ignores the key and stays open. */
export const onEscape = (cancel: () => void) => (event: KeyboardEvent) => {
  if (event.key !== 'Escape') return;
  event.preventDefault();
  cancel();
};

export function Problem({ text, extraClass = '' }: { text: string | null; extraClass?: string }) {
  if (text === null) return null;
  return (
    <p class={`problem ${extraClass}`} role="alert">
      {text}
    </p>
  );
}

/** The browser keeps the focus inside the dialog; Esc or a click outside closes it. */
export function Dialog(props: {
  label: string;
  extraClass?: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  // The reader may type at once, so the dialog opens before it is painted.
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${props.extraClass ?? ''}`}
      aria-label={props.label}
      onClose={props.onClose}
      onCancel={props.onClose}
      onClick={(event) => {
        if (event.target === dialog.current) props.onClose();
      }}
    >
      {props.children}
    </dialog>
  );
}

/** Without `onAction`, the button of the action submits the form that contains it. */
export function DialogActions(props: {
  action: string;
  isDisabled?: boolean;
  isDangerous?: boolean;
  onAction?: () => void;
  onCancel?: () => void;
}) {
  return (
    <div class="dialog-actions">
      {props.onCancel !== undefined && (
        <button type="button" onClick={props.onCancel}>
          Cancel
        </button>
      )}
      <button
        type={props.onAction === undefined ? 'submit' : 'button'}
        class={props.isDangerous ? 'primary dangerous' : 'primary'}
        disabled={props.isDisabled}
        onClick={props.onAction}
      >
        {props.action}
      </button>
    </div>
  );
}

export function ConfirmDialog(props: {
  label: string;
  title?: ComponentChildren;
  text: string;
  action: string;
  isDangerous?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}) {
  return (
    <Dialog label={props.label} onClose={props.onClose}>
      <h2>{props.title ?? props.label}</h2>
      <p>{props.text}</p>
      <DialogActions
        action={props.action}
        isDangerous={props.isDangerous ?? false}
        onAction={props.onConfirm}
        onCancel={props.onClose}
      />
    </Dialog>
  );
}

export function Pane(props: {
  title: string;
  head?: ComponentChildren;
  onClose: () => void;
  children: ComponentChildren;
}) {
  return (
    <aside
      class="pane column"
      aria-label={props.title}
      onKeyDown={(event) => {
        const isInDialog = (event.target as Element).closest('dialog') !== null;
        if (event.key === 'Escape' && !event.defaultPrevented && !isInDialog) props.onClose();
      }}
    >
      <header class="pane-head line">
        {props.head ?? <h2>{props.title}</h2>}
        <IconButton icon="close" label={`Close: ${props.title}`} onClick={props.onClose} />
      </header>
      {props.children}
    </aside>
  );
}

export function LoadButton(props: { label: string; load: () => Promise<void> }) {
  const [isLoading, setLoading] = useState(false);
  const onClick = () => {
    setLoading(true);
    void props.load().finally(() => setLoading(false));
  };
  return (
    <button class="pane-note-button" disabled={isLoading} onClick={onClick}>
      {isLoading ? 'Loading…' : props.label}
    </button>
  );
}

/** Calls `onPress` when the pointer is pressed outside the element, for example to close a menu. */
export function useOutsidePress(element: RefObject<HTMLElement | null>, onPress: () => void): void {
  useEffect(() => {
    const onDown = (event: PointerEvent) => {
      if (!element.current?.contains(event.target as Node)) onPress();
    };
    document.addEventListener('pointerdown', onDown);
    return () => document.removeEventListener('pointerdown', onDown);
  });
}

/** A place without content yet. Says what will be here, and what to do next. */
export function EmptyState(props: { icon: IconName; title: string; children: ComponentChildren }) {
  return (
    <div class="empty-state">
      <Icon name={props.icon} />
      <p class="empty-title">{props.title}</p>
      <p class="quiet">{props.children}</p>
    </div>
  );
}
