import type { Chat } from '../../store/chat.ts';
import { peerOf, titleOf } from '../../store/channel-names.ts';
import { hashOf } from '../../page/route.ts';
import { Avatar } from '../shared/avatar.tsx';
import { Icon } from '../shared/icon.tsx';
import { OwnCard } from './own-card.tsx';
import { usePage } from '../../page/page-state.ts';
import { usePresence } from '../shared/presence.ts';
import { Plain } from '../shared/isolated-text.tsx';

/** Channels, direct messages, and oneself. */
export function Sidebar() {
  const { session, isCreateOpen, isSwitcherOpen, isDrawerOpen } = usePage();
  const chats = [...session.chats.byId.value.values()];
  const rooms = chats
    .filter((chat) => chat.channel.value.kind !== 'direct')
    .sort((a, b) => a.channel.value.name.localeCompare(b.channel.value.name));
  const directs = chats
    .filter((chat) => chat.channel.value.kind === 'direct')
    .sort((a, b) =>
      titleOf(a.channel.value, session.me).localeCompare(titleOf(b.channel.value, session.me)),
    );
  const { view } = session.router.route.value;

  return (
    <nav class="sidebar" aria-label="Channels and people">
      <div class="sidebar-head">
        <span class="logo" aria-hidden="true" />
        <strong>OpenClaw</strong>
        <button
          class="icon-button drawer-button"
          aria-label="Close the menu"
          onClick={() => (isDrawerOpen.value = false)}
        >
          <Icon name="close" />
        </button>
      </div>
      <button class="jump" onClick={() => (isSwitcherOpen.value = true)}>
        <Icon name="search" />
        <span>Go to…</span>
        <kbd>Ctrl K</kbd>
      </button>
      <div class="sidebar-scroll">
        <section>
          <h2>
            Channels
            <button
              class="icon-button"
              aria-label="Create a channel"
              onClick={() => (isCreateOpen.value = true)}
            >
              <Icon name="plus" />
            </button>
          </h2>
          <ul>
            {rooms.map((chat) => (
              <ChatLink key={chat.id} chat={chat} />
            ))}
            <li>
              <a
                class="chat-link quiet"
                href="#/browse"
                aria-current={view === 'browse' ? 'page' : undefined}
                onClick={() => (isDrawerOpen.value = false)}
              >
                <Icon name="compass" />
                <span class="chat-name">Browse channels</span>
              </a>
            </li>
          </ul>
        </section>
        <section>
          <h2>
            Direct messages
            <button
              class="icon-button"
              aria-label="Write to somebody"
              onClick={() => (isSwitcherOpen.value = true)}
            >
              <Icon name="plus" />
            </button>
          </h2>
          <ul>
            {directs.map((chat) => (
              <ChatLink key={chat.id} chat={chat} />
            ))}
          </ul>
          {directs.length === 0 && <p class="quiet small">Nobody yet.</p>}
        </section>
      </div>
      <a
        class="chat-link operations-link"
        href="#/operations"
        aria-current={view === 'operations' ? 'page' : undefined}
        onClick={() => (isDrawerOpen.value = false)}
      >
        <Icon name="chart" />
        <span class="chat-name">Operations</span>
      </a>
      <OwnCard />
    </nav>
  );
}

function ChatLink({ chat }: { chat: Chat }) {
  const { session, isDrawerOpen } = usePage();
  const route = session.router.route.value;
  const channel = chat.channel.value;
  const { count, mentions } = chat.unread.value;
  const peer = channel.kind === 'direct' ? peerOf(channel, session.me) : null;
  const isCurrent =
    (route.view === 'channel' && route.channelId === chat.id) ||
    (route.view === 'direct' && route.agentId === peer);
  const marked = peer === null ? mentions : count;
  return (
    <li>
      <a
        class={`chat-link${count > 0 ? ' unread' : ''}`}
        href={hashOf({ view: 'channel', channelId: chat.id, threadId: null })}
        aria-current={isCurrent ? 'page' : undefined}
        onClick={() => (isDrawerOpen.value = false)}
      >
        {peer !== null ? (
          <PeerAvatar agentId={peer} />
        ) : (
          <Icon name={channel.kind === 'private' ? 'lock' : 'hash'} />
        )}
        <span class="chat-name">
          <Plain text={titleOf(channel, session.me)} />
          {channel.archivedAt !== null && <span class="quiet"> (archived)</span>}
        </span>
        {marked > 0 ? (
          <span class="badge badge-mention">
            {shortCount(marked)}
            <span class="hidden"> {peer === null ? 'mentions' : 'unread'}</span>
          </span>
        ) : (
          count > 0 && (
            <span class="badge">
              {shortCount(count)}
              <span class="hidden"> unread</span>
            </span>
          )
        )}
      </a>
    </li>
  );
}

function PeerAvatar({ agentId }: { agentId: string }) {
  const presence = usePresence(agentId);
  return (
    <Avatar
      agentId={agentId}
      avatar={presence?.avatar}
      status={presence?.status ?? 'offline'}
      isSmall
    />
  );
}

function shortCount(count: number): string {
  return count > 999 ? '999+' : String(count);
}
