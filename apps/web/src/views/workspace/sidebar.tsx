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
import { Dialog, DialogActions, Icon, IconButton, TextField } from '../shared/controls.tsx';

export function Sidebar() {
  const { session, isCreateOpen, isSwitcherOpen, isDrawerOpen } = usePage();
  const nameOf = (chat: Chat) => titleOf(chat.channel.value, session.me);
  const chats = [...session.chats.byId.value.values()].sort((a, b) =>
    nameOf(a).localeCompare(nameOf(b)),
  );
  const directs = chats.filter((chat) => chat.channel.value.kind === 'direct');
  const { view } = session.router.route.value;
  const create = () => (isCreateOpen.value = true);
  const goTo = () => (isSwitcherOpen.value = true);

  return (
    <nav class="sidebar column" aria-label="Channels and people">
      <div class="sidebar-head line">
        <span class="logo" aria-hidden="true" />
        <strong>OpenClaw</strong>
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
      <div class="sidebar-scroll scrolls">
        <Section title="Channels" addLabel="Create a channel" onAdd={create}>
          <ul>
            {chats
              .filter((chat) => !directs.includes(chat))
              .map((chat) => (
                <ChatItem key={chat.id} chat={chat} />
              ))}
            <li>
              <SidebarLink href="#/browse" isCurrent={view === 'browse'} extraClass="quiet">
                <Icon name="compass" />
                <span class="fill ellipsis">Browse channels</span>
              </SidebarLink>
            </li>
          </ul>
        </Section>
        <Section title="Direct messages" addLabel="Write to somebody" onAdd={goTo}>
          <ul>
            {directs.map((chat) => (
              <ChatItem key={chat.id} chat={chat} />
            ))}
          </ul>
          {directs.length === 0 && <p class="quiet small">Nobody yet.</p>}
        </Section>
      </div>
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
  addLabel: string;
  onAdd: () => void;
  children: ComponentChildren;
}) {
  return (
    <section>
      <h2 class="line">
        {props.title}
        <IconButton icon="plus" label={props.addLabel} onClick={props.onAdd} />
      </h2>
      {props.children}
    </section>
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
  const { count, mentions, threads } = chat.unread.value;
  const replies = [...threads.values()].reduce((sum, thread) => sum + thread.count, 0);
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
        <span class="fill ellipsis">
          <IsolatedText text={titleOf(channel, session.me)} />
          {channel.archivedAt !== null && <span class="quiet"> (archived)</span>}
        </span>
        {count === 0 && mentions === 0 && replies > 0 && (
          <span class="badge badge-replies">
            <Icon name="reply" />
            {shortCount(replies)}
            <span class="hidden"> new replies</span>
          </span>
        )}
        {(count > 0 || mentions > 0) && (
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
  return <Avatar {...usePresence(agentId)} agentId={agentId} isSmall />;
}

const shortCount = (count: number) => (count > 999 ? '999+' : count);

const avatars = ['🙂', '🦊', '🐙', '🦉', '🐝', '🚀', '🤖', '🌱'];

/** The agent's own status, as others see it, with the theme and the sign-out. */
export function OwnCard() {
  const { session, theme, signOut } = usePage();
  const [isOpen, setOpen] = useState(false);
  const profile = session.profile.value;
  const themeLabel = `Colours: ${theme.name.value}`;
  return (
    <div class="own-card line">
      <button class="own-button fill" onClick={() => setOpen(true)} title="Set your status">
        <span class="hidden">Set your status: </span>
        <Avatar {...profile} agentId={session.me} />
        <span class="own-names">
          <strong class="ellipsis">{session.me}</strong>
          <span class="quiet small ellipsis">
            <StatusText {...profile} />
          </span>
        </span>
      </button>
      <IconButton icon="theme" label={themeLabel} title={themeLabel} onClick={theme.next} />
      <IconButton icon="out" label="Sign out" title="Sign out" onClick={signOut} />
      {isOpen && <StatusDialog onClose={() => setOpen(false)} />}
    </div>
  );
}

function StatusDialog({ onClose }: { onClose: () => void }) {
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
