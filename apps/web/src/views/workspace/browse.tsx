import { useEffect, useState } from 'preact/hooks';
import type { Channel } from '@openclaw/protocol';
import { Icon } from '../shared/icon.tsx';
import { dayText } from '../shared/format-time.ts';
import { usePage } from '../../page/page-state.ts';
import { Plain } from '../shared/isolated-text.tsx';

const pageSize = 100;

/** The public channels that one does not belong to yet. */
export function Browse() {
  const { session, isCreateOpen } = usePage();
  const [channels, setChannels] = useState<readonly Channel[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [filter, setFilter] = useState('');

  const read = async (from: string | null) => {
    try {
      const page = await session.client.channels({
        ...{ kind: 'public', member: false, cursor: from, limit: pageSize },
      });
      setChannels((before) => [...(from === null ? [] : (before ?? [])), ...page.channels]);
      setCursor(page.nextCursor);
    } catch (error) {
      session.notices.report('The channels could not be read', error);
    }
  };
  useEffect(() => void read(null), []);

  const join = async (channel: Channel) => {
    try {
      await session.client.channel(channel.channelId).join();
      session.chats.add(channel);
      session.router.go({ view: 'channel', channelId: channel.channelId, threadId: null });
    } catch (error) {
      session.notices.report(`You could not join #${channel.name}`, error);
    }
  };

  const shown = (channels ?? []).filter((channel) =>
    `${channel.name} ${channel.topic ?? ''}`.toLowerCase().includes(filter.toLowerCase()),
  );
  return (
    <main class="page">
      <header class="page-head">
        <h1>Channels</h1>
        <button class="primary" onClick={() => (isCreateOpen.value = true)}>
          <Icon name="plus" /> Create a channel
        </button>
      </header>
      <input
        type="search"
        aria-label="Find a channel"
        placeholder="Find a channel"
        value={filter}
        onInput={(event) => setFilter(event.currentTarget.value)}
      />
      <ul class="channel-list">
        {shown.map((channel) => (
          <li key={channel.channelId}>
            <div>
              <strong>
                <Icon name="hash" />
                <Plain text={channel.name} />
              </strong>
              <p class="quiet">
                {channel.topic === null ? (
                  `By ${channel.createdBy}, ${dayText(channel.createdAt)}`
                ) : (
                  <Plain text={channel.topic} />
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
          {channels.length === 0
            ? 'There is no public channel that you are not in.'
            : 'Nothing found.'}
        </p>
      )}
      {cursor !== null && <button onClick={() => void read(cursor)}>More</button>}
    </main>
  );
}
