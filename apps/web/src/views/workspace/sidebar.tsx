import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { channelRoute, hashOf } from '../../page/route.ts';
import type { Profile } from '../../session/profile.ts';
import { peerOf, titleOf } from '../../store/channel-names.ts';
import type { Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';
import {
  Avatar,
  Dot,
  IsolatedText,
  StatusText,
  statusWords,
  usePresence,
} from '../shared/agents.tsx';
import { attentionOf, chatSections } from './chat-order.ts';
import { Dialog, DialogActions, Icon, IconButton, TextField } from '../shared/controls.tsx';

export function Sidebar() {
  const { session, isCreateOpen, isSwitcherOpen, isDrawerOpen, isKeysOpen } = usePage();
  const { favourites, channels, directs } = chatSections(session);
  const { isUnreadOnly } = session.choices.value;
  const switchUnreadOnly = () => {
    session.choices.value = { ...session.choices.peek(), isUnreadOnly: !isUnreadOnly };
  };
  const { view } = session.router.route.value;
  const create = () => (isCreateOpen.value = true);
  const goTo = () => (isSwitcherOpen.value = true);

  return (
    <nav class="sidebar column" aria-label="Channels and people">
      <div class="sidebar-head line">
        <span class="logo" aria-hidden="true" />
        <strong>OpenClaw</strong>
        <IconButton
          icon="keyboard"
          label="Keys"
          title="Keys (?)"
          onClick={() => (isKeysOpen.value = true)}
        />
        <IconButton
          icon="filter"
          label="Unread only"
          title="Unread only"
          aria-pressed={isUnreadOnly}
          onClick={switchUnreadOnly}
        />
        <IconButton
          icon="close"
          label="Close the menu"
          extraClass="drawer-button"
          onClick={() => (isDrawerOpen.value = false)}
        />
      </div>
      <button class="jump quiet" onClick={goTo}>
        <Icon name="search" />
        <span class="fill">Go to…</span>
        <kbd class="quiet">Ctrl K</kbd>
      </button>
      <SidebarLink href="#/needs" isCurrent={view === 'needs'} extraClass="needs-link">
        <Icon name="bell" />
        <span class="fill ellipsis">Needs you</span>
        {session.needs.open.value.length > 0 && (
          <span class="badge badge-mention">{shortCount(session.needs.open.value.length)}</span>
        )}
      </SidebarLink>
      <div class="sidebar-scroll scrolls">
        {favourites.length > 0 && (
          <Section title="Favourites">
            <ChatList chats={favourites} />
          </Section>
        )}
        <Section title="Channels" addLabel="Create a channel" onAdd={create}>
          <ChatList chats={channels}>
            <li>
              <SidebarLink href="#/browse" isCurrent={view === 'browse'} extraClass="quiet">
                <Icon name="compass" />
                <span class="fill ellipsis">Browse channels</span>
              </SidebarLink>
            </li>
          </ChatList>
        </Section>
        <Section title="Direct messages" addLabel="Write to somebody" onAdd={goTo}>
          <ChatList chats={directs} />
          {directs.length === 0 && !isUnreadOnly && (
            <p class="quiet small">Press + to write to an agent or a person.</p>
          )}
        </Section>
        {isUnreadOnly && <p class="quiet small pane-note">Channels without news are hidden.</p>}
      </div>
      <SidebarLink href="#/fleet" isCurrent={view === 'fleet'} extraClass="operations-link">
        <Icon name="people" />
        <span class="fill ellipsis">Fleet</span>
      </SidebarLink>
      <SidebarLink
        href="#/operations"
        isCurrent={view === 'operations'}
        extraClass="operations-link"
      >
        <Icon name="chart" />
        <span class="fill ellipsis">Operations</span>
      </SidebarLink>
      <OwnCard />
    </nav>
  );
}

function Section(props: {
  title: string;
  addLabel?: string;
  onAdd?: () => void;
  children: ComponentChildren;
}) {
  return (
    <section>
      <h2 class="line">
        {props.title}
        {props.addLabel !== undefined && (
          <IconButton icon="plus" label={props.addLabel} onClick={props.onAdd} />
        )}
      </h2>
      {props.children}
    </section>
  );
}

function ChatList(props: { chats: readonly Chat[]; children?: ComponentChildren }) {
  return (
    <ul>
      {props.chats.map((chat) => (
        <ChatItem key={chat.id} chat={chat} />
      ))}
      {props.children}
    </ul>
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
      class={`chat-link line ${props.extraClass}`}
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
  const { isUnread, badge, badgeKind } = attentionOf(session, chat);
  const isMuted = session.choices.value.muted.includes(chat.id);
  const peer = channel.kind === 'direct' ? peerOf(channel, session.me) : null;
  const isCurrent =
    (route.view === 'channel' && route.channelId === chat.id) ||
    (route.view === 'direct' && route.agentId === peer);
  return (
    <li>
      <SidebarLink
        href={hashOf(channelRoute(chat.id))}
        isCurrent={isCurrent}
        extraClass={isUnread ? 'unread' : isMuted ? 'muted' : ''}
      >
        {peer !== null ? (
          <PeerAvatar agentId={peer} />
        ) : (
          <Icon name={channel.kind === 'private' ? 'lock' : 'hash'} />
        )}
        <span class="fill ellipsis">
          <IsolatedText text={titleOf(channel, session.me)} />
          {channel.archivedAt !== null && <span class="quiet"> (archived)</span>}
        </span>
        {isMuted && <Icon name="mute" />}
        {badge !== null && (
          <span class={`badge badge-${badgeKind}`}>
            {badgeKind === 'reply' && <Icon name="reply" />}
            {shortCount(badge)}
            <span class="hidden"> {peer === null ? badgeWords[badgeKind] : 'unread'}</span>
          </span>
        )}
      </SidebarLink>
    </li>
  );
}

const badgeWords = { message: 'unread', mention: 'mentions', reply: 'new replies' } as const;

function PeerAvatar({ agentId }: { agentId: string }) {
  return <Avatar {...usePresence(agentId)} agentId={agentId} isSmall />;
}

const shortCount = (count: number) => (count > 999 ? '999+' : count);

const avatars = ['🙂', '🦊', '🐙', '🦉', '🐝', '🚀', '🤖', '🌱'];

export function OwnCard() {
  const { session, theme, signOut, isStatusOpen } = usePage();
  const profile = session.profile.value;
  const themeLabel = `Colours: ${theme.name.value}`;
  return (
    <div class="own-card line">
      <button
        class="own-button fill"
        onClick={() => (isStatusOpen.value = true)}
        title="Set your status"
      >
        <span class="hidden">Set your status: </span>
        <Avatar {...profile} agentId={session.me} />
        <span class="own-names">
          <strong class="ellipsis">{session.me}</strong>
          <span class="quiet small ellipsis">
            <StatusText {...profile} />
          </span>
        </span>
      </button>
      <IconButton
        icon="density"
        label="Compact"
        title="Compact: more on the screen"
        aria-pressed={theme.isCompact.value}
        onClick={theme.switchDensity}
      />
      <IconButton icon="theme" label={themeLabel} title={themeLabel} onClick={theme.next} />
      <IconButton icon="out" label="Sign out" title="Sign out" onClick={signOut} />
    </div>
  );
}

export function StatusDialog({ onClose }: { onClose: () => void }) {
  const { session } = usePage();
  const [profile, setProfile] = useState<Profile>(session.profile.peek());
  const submit = (event: Event) => {
    event.preventDefault();
    const customStatus = profile.customStatus?.trim() || null;
    session
      .setProfile({ ...profile, customStatus })
      .catch(session.notices.report('Your status was not set'));
    onClose();
  };
  return (
    <Dialog label="Your status" onClose={onClose}>
      <form onSubmit={submit}>
        <h2>Your status</h2>
        <fieldset class="choices">
          <legend class="hidden">Status</legend>
          {(['online', 'away', 'dnd'] as const).map((status) => (
            <label key={status} class="choice line">
              <input
                type="radio"
                name="status"
                checked={profile.status === status}
                onChange={() => setProfile({ ...profile, status })}
              />
              <Dot status={status} />
              {statusWords[status]}
            </label>
          ))}
        </fieldset>
        <TextField
          label="What you are doing"
          name="customStatus"
          value={profile.customStatus ?? ''}
          maxLength={128}
          placeholder="Reviewing the release"
          onText={(customStatus) => setProfile({ ...profile, customStatus })}
        />
        <fieldset class="choices">
          <legend>Picture</legend>
          {[null, ...avatars].map((avatar) => (
            <button
              type="button"
              key={avatar}
              class="emoji-button"
              aria-pressed={profile.avatar === avatar}
              aria-label={avatar ?? 'Initials'}
              onClick={() => setProfile({ ...profile, avatar })}
            >
              {avatar ?? 'Aa'}
            </button>
          ))}
        </fieldset>
        <DialogActions action="Save" onCancel={onClose} />
      </form>
    </Dialog>
  );
}
