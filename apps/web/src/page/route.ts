import { signal, type ReadonlySignal } from '@preact/signals';

/** Where the reader is; it stands in the address behind the `#`. */
export type Route =
  | { readonly view: 'channel'; readonly channelId: string; readonly threadId: string | null }
  | { readonly view: 'direct'; readonly agentId: string }
  | { readonly view: 'browse' }
  | { readonly view: 'operations' }
  | { readonly view: 'home' };

/** Reads an address's hash; what it does not know is home. */
export function parseRoute(hash: string): Route {
  const [view = '', id = '', sub = '', threadId = ''] = hash
    .replace(/^#\/?/, '')
    .split('/')
    .map(decode);
  if (view === 'channel' && id !== '') {
    return { view, channelId: id, threadId: sub === 'thread' && threadId !== '' ? threadId : null };
  }
  if (view === 'direct' && id !== '') return { view, agentId: id };
  if (view === 'browse' || view === 'operations') return { view };
  return { view: 'home' };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The hash of a route. */
export function hashOf(route: Route): string {
  switch (route.view) {
    case 'channel': {
      const thread = route.threadId === null ? '' : `/thread/${encodeURIComponent(route.threadId)}`;
      return `#/channel/${encodeURIComponent(route.channelId)}${thread}`;
    }
    case 'direct':
      return `#/direct/${encodeURIComponent(route.agentId)}`;
    case 'home':
      return '#/';
    default:
      return `#/${route.view}`;
  }
}

/** The address's hash as a signal. */
export interface Router {
  readonly route: ReadonlySignal<Route>;
  go(route: Route): void;
  /** The same, in the place of where the reader is: Back does not lead here again. */
  replace(route: Route): void;
  close(): void;
}

/** Follows the window's address. */
export function createRouter(): Router {
  const route = signal(parseRoute(location.hash));
  const onChange = () => {
    route.value = parseRoute(location.hash);
  };
  window.addEventListener('hashchange', onChange);
  return {
    route,
    go(next) {
      route.value = next;
      if (location.hash !== hashOf(next)) location.hash = hashOf(next);
    },
    replace(next) {
      route.value = next;
      location.replace(hashOf(next));
    },
    close: () => window.removeEventListener('hashchange', onChange),
  };
}
