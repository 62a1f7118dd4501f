import { useEffect } from 'preact/hooks';
import { OperationsView } from '../operations/operations-view.tsx';
import { parseRoute } from '../../page/route.ts';
import { Browse } from './browse.tsx';
import { ChatView } from '../conversation/chat-view.tsx';
import { CreateChannel } from './create-channel.tsx';
import { DirectView } from '../conversation/direct-view.tsx';
import { ConnectionLineView, NoticesView } from './status-bar.tsx';
import { Icon } from '../shared/icon.tsx';
import { usePage } from '../../page/page-state.ts';
import { QuickSwitcher } from './quick-switcher.tsx';
import { Sidebar } from './sidebar.tsx';

/** The page of somebody who has signed in. */
export function Workspace() {
  const page = usePage();
  const { isDrawerOpen, isSwitcherOpen, isCreateOpen } = page;

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        isSwitcherOpen.value = !isSwitcherOpen.value;
      } else if (event.key === 'Escape') {
        isDrawerOpen.value = false;
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  useUnreadInTitle();

  return (
    <div class={`workspace${isDrawerOpen.value ? ' drawer-open' : ''}`}>
      <Sidebar />
      {isDrawerOpen.value && (
        <button
          class="scrim"
          aria-label="Close the menu"
          onClick={() => (isDrawerOpen.value = false)}
        />
      )}
      <div class="stage">
        <div class="topline">
          <button
            class="icon-button drawer-button"
            aria-label="Open the menu"
            aria-expanded={isDrawerOpen.value}
            onClick={() => (isDrawerOpen.value = true)}
          >
            <Icon name="menu" />
          </button>
          <ConnectionLineView />
        </div>
        <NoticesView />
        <Place />
      </div>
      {isSwitcherOpen.value && <QuickSwitcher />}
      {isCreateOpen.value && <CreateChannel />}
    </div>
  );
}

function Place() {
  const { session } = usePage();
  const route = session.router.route.value;
  const chats = session.chats.byId.value;
  switch (route.view) {
    case 'operations':
      return <OperationsView />;
    case 'browse':
      return <Browse />;
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
      if (!session.chats.isLoaded.value) return <Empty text="Reading your channels…" />;
      return <Empty text="This channel is not among yours." isActionable />;
    }
    case 'home':
      return <Home />;
  }
}

function Home() {
  const { session } = usePage();
  const { byId, isLoaded } = session.chats;
  const [first] = byId.value.values();
  useEffect(() => {
    // Whoever has just gone elsewhere, which the route hears of in a moment, is left there.
    if (!isLoaded.value || parseRoute(location.hash).view !== 'home') return;
    session.router.replace(
      first === undefined
        ? { view: 'browse' }
        : { view: 'channel', channelId: first.id, threadId: null },
    );
  }, [isLoaded.value, first]);
  return <Empty text="Reading your channels…" />;
}

function Empty({ text, isActionable = false }: { text: string; isActionable?: boolean }) {
  return (
    <main class="empty">
      <p>{text}</p>
      {isActionable && (
        <a class="button" href="#/browse">
          Browse channels
        </a>
      )}
    </main>
  );
}

function useUnreadInTitle() {
  const { session } = usePage();
  let mentions = 0;
  for (const chat of session.chats.byId.value.values()) {
    const { count, mentions: named } = chat.unread.value;
    mentions += chat.channel.value.kind === 'direct' ? count : named;
  }
  useEffect(() => {
    document.title = mentions > 0 ? `(${mentions}) OpenClaw` : 'OpenClaw';
  }, [mentions]);
}
