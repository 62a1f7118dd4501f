import { useEffect } from 'preact/hooks';
import { visibleString } from '../../markdown/visible-text.ts';
import { channelRoute, parseRoute } from '../../page/route.ts';
import { ChatView, DirectView } from '../conversation/chat-view.tsx';
import { AgentView } from '../agents/agent-view.tsx';
import { HubFreeze } from '../freezes/freeze-banner.tsx';
import { FleetView } from '../fleet/fleet-view.tsx';
import { OperationsView } from '../operations/operations-view.tsx';
import { usePage } from '../page-state.ts';
import { IsolatedText } from '../shared/agents.tsx';
import { IconButton } from '../shared/controls.tsx';
import { pageActions } from './actions.ts';
import { Browse, CreateChannel } from './browse.tsx';
import { KeysSheet } from './keys-sheet.tsx';
import { QuickSwitcher } from './quick-switcher.tsx';
import { Sidebar, StatusDialog } from './sidebar.tsx';
import { useTabState } from './use-tab-state.ts';
import { AlertsDialog } from '../needs/alerts-dialog.tsx';
import { NeedAnnouncer } from '../needs/need-announcer.tsx';
import { NeedsView } from '../needs/needs-view.tsx';
import { SearchPane } from '../search/search-pane.tsx';
import { isInThread } from '../thread/thread-pane.tsx';
import { NotAMember } from '../observe/not-a-member.tsx';

export function Workspace() {
  const page = usePage();
  const { isDrawerOpen, isSwitcherOpen, isCreateOpen, isStatusOpen, isKeysOpen, pane } = page;

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      const action = pageActions(page).find(({ isPressed }) => isPressed?.(event));
      if (action !== undefined) {
        event.preventDefault();
        action.run();
      } else if (event.key === 'Escape') {
        isDrawerOpen.value = false;
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  useTabState();

  return (
    <div class={`workspace${isDrawerOpen.value ? ' drawer-open' : ''}`}>
      <button class="skip" onClick={() => document.querySelector('main')?.focus()}>
        Skip to the conversation
      </button>
      <NeedAnnouncer />
      <Sidebar />
      {isDrawerOpen.value && (
        <button
          class="scrim"
          aria-label="Close the menu"
          onClick={() => (isDrawerOpen.value = false)}
        />
      )}
      <div class="stage column">
        <div class="topline line">
          <IconButton
            icon="menu"
            label="Open the menu"
            extraClass="drawer-button"
            aria-expanded={isDrawerOpen.value}
            onClick={() => (isDrawerOpen.value = true)}
          />
          <ConnectionStatusView />
        </div>
        <NoticesView />
        <HubFreeze />
        <div class="beside fill">
          <RoutedView />
          {pane.value === 'search' && !isInThread(page.session) && <SearchPane />}
        </div>
      </div>
      {isSwitcherOpen.value && <QuickSwitcher />}
      {isCreateOpen.value && <CreateChannel />}
      {isStatusOpen.value && <StatusDialog onClose={() => (isStatusOpen.value = false)} />}
      {isKeysOpen.value && <KeysSheet />}
      {page.isAlertsOpen.value && <AlertsDialog />}
    </div>
  );
}

const loading = <main class="empty column quiet fill">Loading your channels…</main>;

function RoutedView() {
  const { session } = usePage();
  const route = session.router.route.value;
  const chats = session.chats.byId.value;
  switch (route.view) {
    case 'operations':
      return <OperationsView />;
    case 'fleet':
      return <FleetView />;
    case 'agent':
      return <AgentView key={route.agentId} agentId={route.agentId} />;
    case 'browse':
      return <Browse />;
    case 'needs':
      return <NeedsView />;
    case 'direct': {
      const chat = session.chats.directWith(route.agentId);
      if (chat !== null) return <ChatView key={chat.id} chat={chat} threadId={null} />;
      return <DirectView key={route.agentId} agentId={route.agentId} />;
    }
    case 'channel': {
      const chat = chats.get(route.channelId);
      if (chat !== undefined) {
        return <ChatView key={chat.id} chat={chat} threadId={route.threadId} />;
      }
      if (!session.chats.isLoaded.value) return loading;
      return (
        <NotAMember key={route.channelId} channelId={route.channelId} threadId={route.threadId} />
      );
    }
    case 'home':
      return <Home />;
  }
}

/** Opens the view of the last visit, else the first channel, else the list of channels to join. */
function Home() {
  const { session } = usePage();
  // Both signals are read in the same render, so that they fit together. An effect that reads `isLoaded` later could
  // find it true while its list of channels is still empty.
  const isLoaded = session.chats.isLoaded.value;
  const chats = session.chats.byId.value;
  const [first] = chats.values();
  useEffect(() => {
    // The address changes before the route signal does. A reader who has just left the home view
    // must not be redirected.
    if (!isLoaded || parseRoute(location.hash).view !== 'home') return;
    const { lastPlace } = session;
    const isOpen =
      lastPlace !== null && (lastPlace.view !== 'channel' || chats.has(lastPlace.channelId));
    const start = first === undefined ? ({ view: 'browse' } as const) : channelRoute(first.id);
    session.router.replace(isOpen ? lastPlace : start);
  }, [isLoaded, first]);
  return loading;
}

const shownChars = 500;

export function ConnectionStatusView() {
  const { tone, text, detail } = usePage().session.connectionStatus.value;
  // The countdown changes every second, so screen readers must not announce it.
  const countdown = /…$| in \d+ s$/.exec(text)?.[0] ?? '';
  return (
    <div class={`connection small connection-${tone}`} role="status">
      <span class="connection-dot" aria-hidden="true" />
      <span class="connection-text">
        {text.slice(0, text.length - countdown.length)}
        <span aria-hidden="true">{countdown}</span>
      </span>
      {detail !== null && <span class="connection-detail ellipsis">{visibleString(detail)}</span>}
    </div>
  );
}

export function NoticesView() {
  const { notices } = usePage().session;
  if (notices.list.value.length === 0) return null;
  return (
    <div class="notices" role="alert">
      {notices.list.value.map(({ id, text, detail }) => (
        <div class="notice" key={id}>
          <p class="fill">
            <strong>
              <IsolatedText text={shortened(text)} />
            </strong>
            {detail !== null && (
              <span class="quiet">
                {' '}
                <IsolatedText text={shortened(detail)} />
              </span>
            )}
          </p>
          <button class="link" onClick={() => notices.dismiss(id)}>
            Dismiss
          </button>
        </div>
      ))}
    </div>
  );
}

function shortened(text: string): string {
  return text.length > shownChars ? `${text.slice(0, shownChars)}…` : text;
}
