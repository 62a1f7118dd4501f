import { useMemo, useState } from 'preact/hooks';
import { channelRoute } from '../../page/route.ts';
import { usePage } from '../page-state.ts';
import { Avatar, IsolatedText, knownAgents } from '../shared/agents.tsx';
import { BareField, Dialog, focusWhenShown, Icon } from '../shared/controls.tsx';
import { type Destination, rankDestinations } from './destinations.ts';

const shownMax = 9;

/** Opens a channel or an agent found by a few letters of its name. */
export function QuickSwitcher() {
  const { session, isSwitcherOpen, isDrawerOpen } = usePage();
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const all = useMemo<Destination[]>(() => {
    const channels = [...session.chats.byId.peek().values()].flatMap<Destination>((chat) => {
      const { kind, name } = chat.channel.peek();
      if (kind === 'direct') return [];
      return [{ kind: 'channel', id: chat.id, name, unread: chat.unread.peek().count }];
    });
    const agents = [...knownAgents(session).keys()]
      .filter((id) => id !== session.me)
      .map<Destination>((id) => ({ kind: 'agent', id, name: id, unread: 0 }));
    return [...channels, ...agents];
  }, []);
  const shown = rankDestinations(all, query, shownMax);
  const close = () => (isSwitcherOpen.value = false);
  const go = (destination: Destination | undefined) => {
    close();
    isDrawerOpen.value = false;
    const name = query.trim().replace(/^@/, '');
    if (destination?.kind === 'channel') {
      session.router.go(channelRoute(destination.id));
    } else if (destination !== undefined) {
      session.router.go({ view: 'direct', agentId: destination.id });
    } else if (/^[A-Za-z0-9][A-Za-z0-9._@|~-]{0,127}$/.test(name)) {
      session.router.go({ view: 'direct', agentId: name });
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
        label="A channel or a name"
        aria-expanded="true"
        aria-controls="destinations"
        aria-activedescendant={shown[chosen] === undefined ? undefined : `destination-${chosen}`}
        placeholder="A channel or a name"
        value={query}
        onText={(text) => {
          setQuery(text);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="destinations" role="listbox" aria-label="Channels and agents">
        {shown.map((destination, index) => (
          <li
            key={`${destination.kind} ${destination.id}`}
            class="line"
            id={`destination-${index}`}
            role="option"
            aria-selected={index === chosen}
            onClick={() => go(destination)}
          >
            {destination.kind === 'channel' ? (
              <Icon name="hash" />
            ) : (
              <Avatar agentId={destination.id} isSmall />
            )}
            <span class="fill">
              <IsolatedText text={destination.name} />
            </span>
            {destination.unread > 0 && <span class="badge">{destination.unread}</span>}
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p class="quiet">Press Enter to write to the agent of this name.</p>}
    </Dialog>
  );
}
