import type { ComponentChildren } from 'preact';
import { channelRoute, hashOf } from '../../page/route.ts';
import { peerOf, titleOf } from '../../store/channel-names.ts';
import type { Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';
import { Avatar } from '../shared/avatar.tsx';
import { Icon, IconButton } from '../shared/icon.tsx';
import { IsolatedText } from '../shared/isolated-text.tsx';
import { usePresence } from '../shared/presence.ts';
import { OwnCard } from './own-card.tsx';

/** The channels, the direct channels, and the agent's own card. */
export function Sidebar() {
  const { session, isCreateOpen, isSwitcherOpen, isDrawerOpen } = usePage();
  const nameOf = (chat: Chat) => titleOf(chat.channel.value, session.me);
  const chats = [...session.chats.byId.value.values()].sort((a, b) =>
    nameOf(a).localeCompare(nameOf(b)),
  );
  const directs = chats.filter((chat) => chat.channel.value.kind === 'direct');
  const { view } = session.router.route.value;

  return (
    <nav class="sidebar" aria-label="Channels and people">
      <div class="sidebar-head">
        <span class="logo" aria-hidden="true" />
        <strong>OpenClaw</strong>
        <IconButton
          icon="close"
          label="Close the menu"
          extraClass="drawer-button"
          onClick={() => (isDrawerOpen.value = false)}
        />
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
            <IconButton
              icon="plus"
              label="Create a channel"
              onClick={() => (isCreateOpen.value = true)}
            />
          </h2>
          <ul>
            {chats
              .filter((chat) => !directs.includes(chat))
              .map((chat) => (
                <ChatItem key={chat.id} chat={chat} />
              ))}
            <li>
              <SidebarLink href="#/browse" isCurrent={view === 'browse'} extraClass="quiet">
                <Icon name="compass" />
                <span class="chat-name">Browse channels</span>
              </SidebarLink>
            </li>
          </ul>
        </section>
        <section>
          <h2>
            Direct messages
            <IconButton
              icon="plus"
              label="Write to somebody"
              onClick={() => (isSwitcherOpen.value = true)}
            />
          </h2>
          <ul>
            {directs.map((chat) => (
              <ChatItem key={chat.id} chat={chat} />
            ))}
          </ul>
          {directs.length === 0 && <p class="quiet small">Nobody yet.</p>}
        </section>
      </div>
      <SidebarLink
        href="#/operations"
        isCurrent={view === 'operations'}
        extraClass="operations-link"
      >
        <Icon name="chart" />
        <span class="chat-name">Operations</span>
      </SidebarLink>
      <OwnCard />
    </nav>
  );
}

function SidebarLink(props: {
  href: string;
  isCurrent: boolean;
  extraClass: string;
  children: ComponentChildren;
}) {
  const { isDrawerOpen } = usePage();
  return (
    <a
      class={`chat-link ${props.extraClass}`}
      href={props.href}
      aria-current={props.isCurrent ? 'page' : undefined}
      onClick={() => (isDrawerOpen.value = false)}
    >
      {props.children}
    </a>
  );
}

function ChatItem({ chat }: { chat: Chat }) {
  const { session } = usePage();
  const route = session.router.route.value;
  const channel = chat.channel.value;
  const { count, mentions } = chat.unread.value;
  const peer = channel.kind === 'direct' ? peerOf(channel, session.me) : null;
  const isCurrent =
    (route.view === 'channel' && route.channelId === chat.id) ||
    (route.view === 'direct' && route.agentId === peer);
  // In a direct channel, every message concerns the reader.
  const marked = peer === null ? mentions : count;
  return (
    <li>
      <SidebarLink
        href={hashOf(channelRoute(chat.id))}
        isCurrent={isCurrent}
        extraClass={count > 0 ? 'unread' : ''}
      >
        {peer !== null ? (
          <PeerAvatar agentId={peer} />
        ) : (
          <Icon name={channel.kind === 'private' ? 'lock' : 'hash'} />
        )}
        <span class="chat-name">
          <IsolatedText text={titleOf(channel, session.me)} />
          {channel.archivedAt !== null && <span class="quiet"> (archived)</span>}
        </span>
        {count > 0 && (
          <span class={`badge${marked > 0 ? ' badge-mention' : ''}`}>
            {shortCount(marked || count)}
            <span class="hidden"> {marked > 0 && peer === null ? 'mentions' : 'unread'}</span>
          </span>
        )}
      </SidebarLink>
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

const shortCount = (count: number) => (count > 999 ? '999+' : count);
