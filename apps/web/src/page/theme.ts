import { effect, type ReadonlySignal } from '@preact/signals';
import { createStoredValue } from './stored-value.ts';

/** The reader's choice: the system's way, light, or dark. */
export type ThemeName = 'system' | 'light' | 'dark';

/** The page's colours. */
export interface Theme {
  readonly name: ReadonlySignal<ThemeName>;
  /** System, light, dark, and round again. */
  next(): void;
  close(): void;
}

const order: readonly ThemeName[] = ['system', 'light', 'dark'];

/** Shows the page in the chosen colours, which the browser remembers. */
export function createTheme(storage: Storage, root: HTMLElement): Theme {
  const stored = createStoredValue<ThemeName>(storage, 'openclaw.theme', 'system');
  const close = effect(() => {
    if (stored.value.value === 'system') root.removeAttribute('data-theme');
    else root.setAttribute('data-theme', stored.value.value);
  });
  return {
    name: stored.value,
    next() {
      stored.value.value =
        order[(order.indexOf(stored.value.peek()) + 1) % order.length] ?? 'system';
    },
    close() {
      close();
      stored.close();
    },
  };
}
