import { signal, type ReadonlySignal } from '@preact/signals';

export type Route =
  | {
      readonly view: 'channel';
      readonly channelId: string;
      readonly threadId: string | null;
      /** The message to scroll to. Null when the view opens where the reader stopped. */
      readonly seq: number | null;
    }
  | { readonly view: 'direct'; readonly agentId: string }
  | { readonly view: 'agent'; readonly agentId: string }
  | { readonly view: 'browse' }
  | { readonly view: 'fleet' }
  | { readonly view: 'operations' }
  | { readonly view: 'needs' }
  | { readonly view: 'home' };

export function channelRoute(
  channelId: string,
  threadId: string | null = null,
  seq: number | null = null,
): Route {
  return { view: 'channel', channelId, threadId, seq };
}

export function parseRoute(hash: string): Route {
  const [view = '', id = '', ...rest] = hash.replace(/^#\/?/, '').split('/').map(decode);
  if (view === 'channel' && id !== '') {
    const threadId = rest[0] === 'thread' && rest[1] ? rest[1] : null;
    const [name, number = ''] = threadId === null ? rest : rest.slice(2);
    const seq = name === 'message' && /^[1-9]\d{0,15}$/.test(number) ? Number(number) : null;
    return channelRoute(id, threadId, seq);
  }
  if ((view === 'direct' || view === 'agent') && id !== '') return { view, agentId: id };
  if (view === 'browse' || view === 'fleet' || view === 'operations' || view === 'needs') {
    return { view };
  }
  return { view: 'home' };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function hashOf(route: Route): string {
  switch (route.view) {
    case 'channel': {
      const thread = route.threadId === null ? '' : `/thread/${encodeURIComponent(route.threadId)}`;
      const message = route.seq === null ? '' : `/message/${route.seq}`;
      return `#/channel/${encodeURIComponent(route.channelId)}${thread}${message}`;
    }
    case 'agent':
    case 'direct':
      return `#/${route.view}/${encodeURIComponent(route.agentId)}`;
    case 'home':
      return '#/';
    default:
      return `#/${route.view}`;
  }
}

export function createRouter() {
  const route = signal(parseRoute(location.hash));
  const onChange = () => {
    const next = parseRoute(location.hash);
    if (hashOf(next) !== hashOf(route.peek())) route.value = next;
  };
  window.addEventListener('hashchange', onChange);
  return {
    route: route as ReadonlySignal<Route>,
    /** If the view is already open, scrolls to its message again. */
    go(next: Route) {
      route.value = next;
      if (location.hash !== hashOf(next)) location.hash = hashOf(next);
    },
    /** Like `go`, but Back leads to the view before the current one. */
    replace(next: Route) {
      route.value = next;
      location.replace(hashOf(next));
    },
    close: () => window.removeEventListener('hashchange', onChange),
  };
}
