import { useRef, useState } from 'preact/hooks';
import { visibleString } from '../../markdown/visible-text.ts';
import type { Chat } from '../../store/chat.ts';
import { peerOf, titleOf } from '../../store/channel-names.ts';
import { Dialog } from '../shared/dialog.tsx';
import { Icon } from '../shared/icon.tsx';
import { usePage, type PageState } from '../../page/page-state.ts';
import { statusWords, usePresence } from '../shared/presence.ts';
import { Plain } from '../shared/isolated-text.tsx';
import { useOutsidePress } from '../shared/use-outside-press.ts';

/** What the channel is, and what can be done with it. */
export function ChannelHeader({ chat }: { chat: Chat }) {
  const { session, pane } = usePage();
  const channel = chat.channel.value;
  const isDirect = channel.kind === 'direct';
  const toggle = (name: 'members' | 'search') => {
    closeThread(session, chat);
    pane.value = pane.value === name ? 'none' : name;
  };
  return (
    <header class="channel-header">
      <div class="channel-title">
        <h1>
          {!isDirect && <Icon name={channel.kind === 'private' ? 'lock' : 'hash'} />}
          <Plain text={titleOf(channel, session.me)} />
        </h1>
        {isDirect ? (
          <PeerStatus agentId={peerOf(channel, session.me)} />
        ) : (
          channel.topic !== null && (
            <p class="quiet" title={visibleString(channel.topic)}>
              <Plain text={channel.topic} />
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
        <button
          class="icon-button"
          aria-pressed={pane.value === 'search'}
          aria-label="Search"
          onClick={() => toggle('search')}
        >
          <Icon name="search" />
        </button>
        {!isDirect && <ChannelMenu chat={chat} />}
      </div>
    </header>
  );
}

/** Leaves the thread that stands open beside a channel. */
export function closeThread(session: PageState['session'], chat: Chat): void {
  const route = session.router.route.peek();
  if (route.view === 'channel' && route.threadId !== null) {
    session.router.go({ view: 'channel', channelId: chat.id, threadId: null });
  }
}

function PeerStatus({ agentId }: { agentId: string }) {
  const presence = usePresence(agentId);
  const status = presence?.status ?? 'offline';
  return (
    <p class="quiet">
      {statusWords[status]}
      {presence?.customStatus != null && (
        <>
          {' · '}
          <Plain text={presence.customStatus} />
        </>
      )}
    </p>
  );
}

type Question = 'leave' | 'archive';

function ChannelMenu({ chat }: { chat: Chat }) {
  const { session } = usePage();
  const [isOpen, setOpen] = useState(false);
  const [asked, setAsked] = useState<Question | null>(null);
  const menu = useRef<HTMLDivElement>(null);
  useOutsidePress(menu, () => setOpen(false));
  const isOwner = chat.members.value.get(session.me)?.role === 'owner';
  const ask = (question: Question) => {
    setOpen(false);
    setAsked(question);
  };
  const act = async (question: Question) => {
    setAsked(null);
    try {
      if (question === 'leave') {
        await session.client.channel(chat.id).leave();
        session.chats.remove(chat.id);
        session.router.go({ view: 'browse' });
      } else {
        const { channel } = await session.client.channel(chat.id).archive();
        chat.channel.value = channel;
      }
    } catch (error) {
      session.notices.report(
        question === 'leave' ? 'You are still a member' : 'Not archived',
        error,
      );
    }
  };
  return (
    <div class="menu-anchor" ref={menu}>
      <button
        class="icon-button"
        aria-label="More"
        aria-haspopup="true"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setOpen(false);
        }}
      >
        <Icon name="more" />
      </button>
      {isOpen && (
        <div class="menu">
          <button onClick={() => ask('leave')}>Leave this channel…</button>
          {isOwner && chat.channel.value.archivedAt === null && (
            <button onClick={() => ask('archive')}>Archive this channel…</button>
          )}
        </div>
      )}
      {asked !== null && (
        <Dialog label="Are you sure?" onClose={() => setAsked(null)}>
          <h2>
            {asked === 'leave' ? 'Leave ' : 'Archive '}
            <Plain text={chat.channel.value.name} />?
          </h2>
          <p>
            {asked === 'leave'
              ? 'You will no longer see what is said there.'
              : 'It becomes read-only for everyone, for good.'}
          </p>
          <div class="dialog-actions">
            <button onClick={() => setAsked(null)}>Cancel</button>
            <button class="primary" onClick={() => void act(asked)}>
              {asked === 'leave' ? 'Leave' : 'Archive'}
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
