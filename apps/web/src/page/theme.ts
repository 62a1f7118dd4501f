import { effect } from '@preact/signals';
import { createStoredValue } from './stored-value.ts';

export type Theme = ReturnType<typeof createTheme>;

const order = ['system', 'light', 'dark'] as const;
type ThemeName = (typeof order)[number];

export function createTheme(storage: Storage, root: HTMLElement) {
  const { value: name } = createStoredValue<ThemeName>(storage, 'openclaw.theme', 'system');
  effect(() => {
    if (name.value === 'system') root.removeAttribute('data-theme');
    else root.setAttribute('data-theme', name.value);
  });
  const { value: isCompact } = createStoredValue(storage, 'openclaw.compact', false);
  effect(() => {
    root.toggleAttribute('data-compact', isCompact.value);
  });
  return {
    isCompact,
    switchDensity: () => {
      isCompact.value = !isCompact.peek();
    },
    name,
    next: () => {
      name.value = order[(order.indexOf(name.peek()) + 1) % order.length] ?? 'system';
    },
  };
}
