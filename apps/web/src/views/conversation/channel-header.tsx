import { visibleString } from '../../markdown/visible-text.ts';
import { peerOf, titleOf } from '../../store/channel-names.ts';
import type { Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';
import { IsolatedText, presenceText, usePresence } from '../shared/agents.tsx';
import { ChannelMenu } from '../channel/channel-menu.tsx';
import { Icon, IconButton } from '../shared/controls.tsx';
import { openSearch } from '../search/search-pane.tsx';
import { closeThread, isInThread } from '../thread/thread-pane.tsx';

export function ChannelHeader({ chat }: { chat: Chat }) {
  const page = usePage();
  const { session, pane } = page;
  const channel = chat.channel.value;
  const isDirect = channel.kind === 'direct';
  const toggleMembers = () => {
    closeThread(session, chat);
    pane.value = pane.value === 'members' ? 'none' : 'members';
  };
  const toggleSearch = () => {
    if (pane.value === 'search' && !isInThread(session)) pane.value = 'none';
    else openSearch(page, chat.id);
  };
  return (
    <header class="channel-header line">
      <div class="fill">
        <h1 class="line">
          {!isDirect && <Icon name={channel.kind === 'private' ? 'lock' : 'hash'} />}
          <IsolatedText text={titleOf(channel, session.me)} />
        </h1>
        {isDirect && !chat.isObserved.value ? (
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
            onClick={toggleMembers}
          >
            <Icon name="people" />
            {chat.members.value.size}
          </button>
        )}
        <IconButton
          icon="search"
          label="Search"
          aria-pressed={pane.value === 'search'}
          onClick={toggleSearch}
        />
        {!chat.isObserved.value && <ChannelMenu chat={chat} />}
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
