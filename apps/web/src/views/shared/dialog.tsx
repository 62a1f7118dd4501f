import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** A modal dialog: the browser traps the focus in it; Esc and a click outside close it. */
export function Dialog(props: {
  label: string;
  extraClass?: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
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

/** The buttons of a dialog. Without `onAction`, the second one submits the form around them. */
export function DialogActions(props: {
  action: string;
  isDisabled?: boolean;
  onAction?: () => void;
  onCancel: () => void;
}) {
  return (
    <div class="dialog-actions">
      <button type="button" onClick={props.onCancel}>
        Cancel
      </button>
      <button
        type={props.onAction === undefined ? 'submit' : 'button'}
        class="primary"
        disabled={props.isDisabled}
        onClick={props.onAction}
      >
        {props.action}
      </button>
    </div>
  );
}

/** Asks for a confirmation before an action that cannot be undone. */
export function ConfirmDialog(props: {
  label: string;
  title?: ComponentChildren;
  text: string;
  action: string;
  onConfirm: () => void;
  onClose: () => void;
}) {
  return (
    <Dialog label={props.label} onClose={props.onClose}>
      <h2>{props.title ?? props.label}</h2>
      <p>{props.text}</p>
      <DialogActions action={props.action} onAction={props.onConfirm} onCancel={props.onClose} />
    </Dialog>
  );
}
