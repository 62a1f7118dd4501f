import { useMemo, useState } from 'preact/hooks';
import { channelRoute, parseRoute } from '../../page/route.ts';
import { usePage } from '../page-state.ts';
import { Avatar, IsolatedText, knownAgents } from '../shared/agents.tsx';
import { openSearch } from '../search/search-pane.tsx';
import { BareField, Dialog, focusWhenShown, Icon } from '../shared/controls.tsx';
import { pageActions } from './actions.ts';
import { attentionOf } from './chat-order.ts';
import { type Destination, rankDestinations } from './destinations.ts';

const shownMax = 12;
const searchId = 'search-for';

const pages: readonly Destination[] = [
  { kind: 'page', id: 'needs', name: 'Needs you', unread: 0 },
  { kind: 'page', id: 'browse', name: 'Browse channels', unread: 0 },
  { kind: 'page', id: 'fleet', name: 'Fleet', unread: 0 },
  { kind: 'page', id: 'operations', name: 'Operations', unread: 0 },
];

const icons = { channel: 'hash', page: 'compass', action: 'star' } as const;

export function QuickSwitcher() {
  const page = usePage();
  const { session, isSwitcherOpen, isDrawerOpen } = page;
  const actions = useMemo(() => pageActions(page).filter(({ id }) => id !== 'palette'), []);
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const all = useMemo<Destination[]>(() => {
    const channels = [...session.chats.byId.peek().values()].flatMap<Destination>((chat) => {
      const { kind, name } = chat.channel.peek();
      if (kind === 'direct') return [];
      const { badge } = attentionOf(session, chat);
      return [{ kind: 'channel', id: chat.id, name, unread: badge ?? 0 }];
    });
    const agents = [...knownAgents(session).keys()]
      .filter((id) => id !== session.me)
      .map<Destination>((id) => ({ kind: 'agent', id, name: id, unread: 0 }));
    const acts = actions.map<Destination>(({ id, name, keys }) => ({
      ...{ kind: 'action', id, name, keys, unread: 0 },
    }));
    return [...channels, ...agents, ...pages, ...acts];
  }, []);
  const ranked = rankDestinations(all, query, shownMax);
  const text = query.trim();
  const forMessages: Destination = {
    ...{ kind: 'action', id: searchId, unread: 0 },
    name: `Search messages for “${text}”`,
  };
  const shown = text === '' ? ranked : [...ranked, forMessages];
  const close = () => (isSwitcherOpen.value = false);
  const go = (destination: Destination | undefined) => {
    close();
    isDrawerOpen.value = false;
    if (destination?.kind === 'channel') {
      session.router.go(channelRoute(destination.id));
    } else if (destination?.kind === 'agent') {
      session.router.go({ view: 'direct', agentId: destination.id });
    } else if (destination?.kind === 'page') {
      session.router.go(parseRoute(`#/${destination.id}`));
    } else if (destination?.id === searchId) {
      openSearch(page, null, text);
    } else if (destination !== undefined) {
      actions.find(({ id }) => id === destination.id)?.run();
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : shown.length - 1;
      if (shown.length > 0) setChosen((chosen + step) % shown.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      go(shown[chosen]);
    }
  };
  return (
    <Dialog label="Go to" extraClass="switcher" onClose={close}>
      <BareField
        ref={focusWhenShown}
        type="text"
        role="combobox"
        label="A channel, a name, a page or an action"
        aria-expanded="true"
        aria-controls="destinations"
        aria-activedescendant={shown[chosen] === undefined ? undefined : `destination-${chosen}`}
        placeholder="Where to, or what to do?"
        value={query}
        onText={(text) => {
          setQuery(text);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="destinations" role="listbox" aria-label="Channels, people, pages and actions">
        {shown.map((destination, index) => (
          <li
            key={`${destination.kind} ${destination.id}`}
            class="line"
            id={`destination-${index}`}
            role="option"
            aria-selected={index === chosen}
            onClick={() => go(destination)}
          >
            {destination.kind === 'agent' ? (
              <Avatar agentId={destination.id} isSmall />
            ) : (
              <Icon name={icons[destination.kind]} />
            )}
            <span class="fill">
              <IsolatedText text={destination.name} />
            </span>
            {destination.keys != null && <kbd>{destination.keys}</kbd>}
            {destination.unread > 0 && <span class="badge">{destination.unread}</span>}
          </li>
        ))}
      </ul>
      {ranked.length === 0 && <p class="quiet">Nobody and nothing here has this name.</p>}
    </Dialog>
  );
}
