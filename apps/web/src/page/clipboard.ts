/** Without TLS, a page has no clipboard API, but it can copy the selected text of a field. */
export async function copyText(text: string): Promise<void> {
  const { clipboard } = navigator as { clipboard?: Clipboard };
  if (clipboard !== undefined) return clipboard.writeText(text);
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'hidden';
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  if (!isCopied) throw new Error('This browser does not let the page copy.');
}

const shownMs = 1_500;

/** Shows the result in the button for a moment. */
export async function copyFrom(button: HTMLElement, text: string): Promise<void> {
  const result = await copyText(text).then(
    () => 'copied',
    () => 'failed',
  );
  button.dataset.copy = result;
  setTimeout(() => delete button.dataset.copy, shownMs);
}
