import { effect, type ReadonlySignal } from '@preact/signals';
import type { KeyedStorage } from './page-base.ts';
import { hashOf, parseRoute, type Route } from './route.ts';

/** Remembers the view that an agent left, for its next sign-in in this browser. */
export function createLastPlace(
  storage: KeyedStorage,
  agentId: string,
  route: ReadonlySignal<Route>,
) {
  const key = `openclaw.place.${agentId}`;
  const left = parseRoute(storage.getItem(key) ?? '');
  const stop = effect(() => {
    if (route.value.view === 'home') return;
    try {
      storage.setItem(key, hashOf(route.value));
    } catch {
      // The storage is full. The next sign-in begins at the first channel.
    }
  });
  return { route: left.view === 'home' ? null : left, close: () => stop() };
}
