import { useEffect, useState } from 'preact/hooks';
import type { Channel } from '@openclaw/protocol';
import { channelRoute } from '../../page/route.ts';
import { usePage } from '../page-state.ts';
import { FilterField } from '../shared/fields.tsx';
import { dayText } from '../shared/format-time.ts';
import { Icon } from '../shared/icon.tsx';
import { IsolatedText } from '../shared/isolated-text.tsx';

const pageSize = 100;

/** The public channels that this agent can join. */
export function Browse() {
  const { session, isCreateOpen } = usePage();
  const [channels, setChannels] = useState<readonly Channel[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [filter, setFilter] = useState('');

  const load = (from: string | null) =>
    session.client
      .channels({ kind: 'public', member: false, cursor: from, limit: pageSize })
      .then((page) => {
        setChannels((before) => [...(from === null ? [] : (before ?? [])), ...page.channels]);
        setCursor(page.nextCursor);
      })
      .catch(session.notices.report('The channels could not be loaded'));
  useEffect(() => void load(null), []);

  const join = (channel: Channel) =>
    session.client
      .channel(channel.channelId)
      .join()
      .then(() => {
        session.chats.add(channel);
        session.router.go(channelRoute(channel.channelId));
      })
      .catch(session.notices.report(`You could not join #${channel.name}`));

  const shown = (channels ?? []).filter(({ name, topic }) =>
    `${name} ${topic ?? ''}`.toLowerCase().includes(filter.toLowerCase()),
  );
  return (
    <main class="page">
      <header class="page-head">
        <h1>Channels</h1>
        <button class="primary" onClick={() => (isCreateOpen.value = true)}>
          <Icon name="plus" /> Create a channel
        </button>
      </header>
      <FilterField label="Find a channel" value={filter} onText={setFilter} />
      <ul class="channel-list">
        {shown.map((channel) => (
          <li key={channel.channelId}>
            <div>
              <strong>
                <Icon name="hash" />
                <IsolatedText text={channel.name} />
              </strong>
              <p class="quiet">
                {channel.topic === null ? (
                  `By ${channel.createdBy}, ${dayText(channel.createdAt)}`
                ) : (
                  <IsolatedText text={channel.topic} />
                )}
              </p>
            </div>
            {channel.archivedAt === null ? (
              <button onClick={() => void join(channel)} aria-label={`Join ${channel.name}`}>
                Join
              </button>
            ) : (
              <span class="quiet small">archived</span>
            )}
          </li>
        ))}
      </ul>
      {channels !== null && shown.length === 0 && (
        <p class="quiet">
          {channels.length === 0 ? 'You are in every public channel.' : 'Nothing found.'}
        </p>
      )}
      {cursor !== null && <button onClick={() => void load(cursor)}>More</button>}
    </main>
  );
}
