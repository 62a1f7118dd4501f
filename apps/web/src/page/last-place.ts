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
  const last = parseRoute(storage.getItem(key) ?? '');
  const stop = effect(() => {
    if (route.value.view === 'home') return;
    try {
      const left = route.value;
      // The agent returns to its own position in the channel, not to a message that a link once
      // opened.
      storage.setItem(key, hashOf(left.view === 'channel' ? { ...left, seq: null } : left));
    } catch {
      // The storage is full. The next sign-in begins at the first channel.
    }
  });
  return { route: last.view === 'home' ? null : last, close: () => stop() };
}
