import { Avatar } from '../shared/avatar.tsx';
import { Composer } from './composer.tsx';
import { OutgoingItems } from './outgoing-list.tsx';
import { usePage } from '../../page/page-state.ts';
import { statusWords, usePresence } from '../shared/presence.ts';

/** Somebody with whom nothing was said yet: the first message opens the direct channel. */
export function DirectView({ agentId }: { agentId: string }) {
  const { session } = usePage();
  const presence = usePresence(agentId);
  const status = presence?.status ?? 'offline';
  return (
    <div class="chat">
      <main class="conversation-column" aria-label="Conversation">
        <header class="channel-header">
          <div class="channel-title">
            <h1>{agentId}</h1>
            <p class="quiet">{statusWords[status]}</p>
          </div>
        </header>
        <div class="empty">
          <Avatar agentId={agentId} avatar={presence?.avatar} status={status} />
          <p>
            {agentId === session.me
              ? 'This is you.'
              : `Nothing has been said between you and ${agentId} yet.`}
          </p>
          <OutgoingItems
            items={session.outbox.items.value.filter((item) => item.agentId === agentId)}
          />
        </div>
        <Composer
          channelId={null}
          chat={null}
          agentId={agentId}
          threadId={null}
          isDisabled={agentId === session.me}
        />
      </main>
    </div>
  );
}
