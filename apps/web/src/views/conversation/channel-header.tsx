import { useRef, useState } from 'preact/hooks';
import { visibleString } from '../../markdown/visible-text.ts';
import { toggleChannel } from '../../session/choices.ts';
import { peerOf, titleOf } from '../../store/channel-names.ts';
import type { Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';
import { IsolatedText, presenceText, usePresence } from '../shared/agents.tsx';
import { ConfirmDialog, Icon, IconButton, onEscape, useOutsidePress } from '../shared/controls.tsx';
import { closeThread } from '../thread/thread-pane.tsx';

export function ChannelHeader({ chat }: { chat: Chat }) {
  const { session, pane } = usePage();
  const channel = chat.channel.value;
  const isDirect = channel.kind === 'direct';
  const toggle = (name: 'members' | 'search') => {
    closeThread(session, chat);
    pane.value = pane.value === name ? 'none' : name;
  };
  return (
    <header class="channel-header line">
      <div class="fill">
        <h1 class="line">
          {!isDirect && <Icon name={channel.kind === 'private' ? 'lock' : 'hash'} />}
          <IsolatedText text={titleOf(channel, session.me)} />
        </h1>
        {isDirect ? (
          <PeerStatus agentId={peerOf(channel, session.me)} />
        ) : (
          channel.topic !== null && (
            <p class="quiet small ellipsis" title={visibleString(channel.topic)}>
              <IsolatedText text={channel.topic} />
            </p>
          )
        )}
      </div>
      <div class="channel-tools">
        {!isDirect && (
          <button
            class="count-button"
            aria-pressed={pane.value === 'members'}
            aria-label={`Members: ${chat.members.value.size}`}
            onClick={() => toggle('members')}
          >
            <Icon name="people" />
            {chat.members.value.size}
          </button>
        )}
        <IconButton
          icon="search"
          label="Search"
          aria-pressed={pane.value === 'search'}
          onClick={() => toggle('search')}
        />
        <ChannelMenu chat={chat} />
      </div>
    </header>
  );
}

function PeerStatus({ agentId }: { agentId: string }) {
  const presence = usePresence(agentId);
  const { customStatus } = presence;
  return (
    <p class="quiet small ellipsis">
      {presenceText(presence)}
      {customStatus !== null && [' · ', <IsolatedText text={customStatus} />]}
    </p>
  );
}

function ChannelMenu({ chat }: { chat: Chat }) {
  const { session } = usePage();
  const [isOpen, setOpen] = useState(false);
  const [confirming, setConfirming] = useState<'leave' | 'archive' | null>(null);
  const menu = useRef<HTMLDivElement>(null);
  useOutsidePress(menu, () => setOpen(false));
  const isOwner = chat.members.value.get(session.me)?.role === 'owner';
  const isDirect = chat.channel.value.kind === 'direct';
  const { muted, favourites } = session.choices.value;
  const toggle = (list: 'muted' | 'favourites') => {
    setOpen(false);
    toggleChannel(session.choices, list, chat.id);
  };
  const close = () => setConfirming(null);
  const verb = confirming === 'leave' ? 'Leave' : 'Archive';
  const choose = (action: 'leave' | 'archive') => {
    setOpen(false);
    setConfirming(action);
  };
  const leave = async () => {
    await session.client.channel(chat.id).leave();
    session.chats.remove(chat.id);
    session.router.go({ view: 'browse' });
  };
  const archive = async () => {
    const { channel } = await session.client.channel(chat.id).archive();
    chat.channel.value = channel;
  };
  return (
    <div class="menu-anchor" ref={menu}>
      <IconButton
        icon="more"
        label="More"
        aria-haspopup="true"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={onEscape(() => setOpen(false))}
      />
      {isOpen && (
        <div class="menu">
          <button onClick={() => toggle('favourites')}>
            {favourites.includes(chat.id) ? 'Remove from favourites' : 'Add to favourites'}
          </button>
          <button onClick={() => toggle('muted')}>
            {muted.includes(chat.id) ? 'Unmute' : 'Mute: only mentions count'}
          </button>
          <button
            onClick={() => {
              setOpen(false);
              session.chats.markAllSeen(chat);
            }}
          >
            Mark as read
          </button>
          {!isDirect && <button onClick={() => choose('leave')}>Leave this channel…</button>}
          {isOwner && !isDirect && chat.channel.value.archivedAt === null && (
            <button onClick={() => choose('archive')}>Archive this channel…</button>
          )}
        </div>
      )}
      {confirming !== null && (
        <ConfirmDialog
          label="Are you sure?"
          title={[`${verb} `, <IsolatedText text={chat.channel.value.name} />, '?']}
          text={
            confirming === 'leave'
              ? 'You will no longer see its messages.'
              : 'It becomes read-only for everyone. This cannot be undone.'
          }
          action={verb}
          isDangerous
          onClose={close}
          onConfirm={() => {
            close();
            if (confirming === 'leave') leave().catch(session.notices.report('You did not leave'));
            else archive().catch(session.notices.report('The channel was not archived'));
          }}
        />
      )}
    </div>
  );
}
