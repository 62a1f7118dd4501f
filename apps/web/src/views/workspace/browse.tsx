import { useState } from 'preact/hooks';
import type { Channel } from '@openclaw/protocol';
import { plainReason } from '../../page/plain-errors.ts';
import { channelRoute, hashOf } from '../../page/route.ts';
import { NameAndTopic } from '../channel/name-and-topic.tsx';
import { usePage } from '../page-state.ts';
import { IsolatedText } from '../shared/agents.tsx';
import {
  BareField,
  Dialog,
  DialogActions,
  EmptyState,
  Icon,
  matches,
  Problem,
} from '../shared/controls.tsx';
import { dayText } from '../shared/format-time.ts';
import { useOtherChannels, useSeesPrivate } from './other-channels.ts';

const kindWords = { public: 'Public', private: 'Private', direct: 'Direct' } as const;
const emptyTitles = {
  public: 'No channels to join',
  private: 'No other private channels',
  direct: 'No other direct messages',
} as const;
const icons = { public: 'hash', private: 'lock', direct: 'people' } as const;

export function Browse() {
  const { session, isCreateOpen } = usePage();
  const [kind, setKind] = useState<Channel['kind']>('public');
  const seesPrivate = useSeesPrivate(session);
  const { channels, loadMore } = useOtherChannels(session, kind);
  const [filter, setFilter] = useState('');

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
    matches(`${name} ${topic ?? ''}`, filter),
  );
  return (
    <main class="page column scrolls">
      <header class="page-head line">
        <h1>Channels</h1>
        <button class="primary" onClick={() => (isCreateOpen.value = true)}>
          <Icon name="plus" /> Create a channel
        </button>
      </header>
      {seesPrivate && (
        <div class="segments" role="group" aria-label="Channels of which you are no member">
          {(['public', 'private', 'direct'] as const).map((each) => (
            <button key={each} aria-pressed={each === kind} onClick={() => setKind(each)}>
              {kindWords[each]}
            </button>
          ))}
        </div>
      )}
      {kind !== 'public' && (
        <p class="quiet">You see these as an admin. Opening one is written into the audit log.</p>
      )}
      <BareField type="search" label="Find a channel" value={filter} onText={setFilter} />
      <ul class="channel-list">
        {shown.map((channel) => (
          <li class="line" key={channel.channelId}>
            <div class="fill">
              <a class="line" href={hashOf(channelRoute(channel.channelId))}>
                <Icon name={icons[channel.kind]} />
                <IsolatedText text={channel.name} />
              </a>
              <p class="quiet">
                {channel.topic === null ? (
                  `By ${channel.createdBy}, ${dayText(channel.createdAt)}`
                ) : (
                  <IsolatedText text={channel.topic} />
                )}
              </p>
            </div>
            {channel.kind !== 'public' ? (
              <a
                class="button"
                href={hashOf(channelRoute(channel.channelId))}
                aria-label={`Read along in ${channel.name}`}
              >
                Read along
              </a>
            ) : channel.archivedAt === null ? (
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
        <EmptyState
          icon="hash"
          title={channels.length === 0 ? emptyTitles[kind] : 'No such channel'}
        >
          {channels.length > 0
            ? 'No channel has these words in its name or topic. Try fewer of them.'
            : kind === 'public'
              ? 'You are in all public channels. Create one, and others can join it.'
              : 'You are in all of them, or there are none.'}
        </EmptyState>
      )}
      {loadMore !== null && <button onClick={loadMore}>More</button>}
    </main>
  );
}

export function CreateChannel() {
  const { session, isCreateOpen, isDrawerOpen } = usePage();
  const [name, setName] = useState('');
  const [topic, setTopic] = useState('');
  const [isPrivate, setPrivate] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const close = () => (isCreateOpen.value = false);
  const create = async (event: Event) => {
    event.preventDefault();
    try {
      const { channel } = await session.client.createChannel({
        name: name.trim(),
        kind: isPrivate ? 'private' : 'public',
        topic: topic.trim() || null,
      });
      session.chats.add(channel);
      close();
      isDrawerOpen.value = false;
      session.router.go(channelRoute(channel.channelId));
    } catch (error) {
      setProblem(plainReason(error));
    }
  };
  return (
    <Dialog label="Create a channel" onClose={close}>
      <form onSubmit={(event) => void create(event)}>
        <h2>Create a channel</h2>
        <NameAndTopic {...{ name, topic }} onName={setName} onTopic={setTopic} />
        <label class="choice line">
          <input
            type="checkbox"
            checked={isPrivate}
            onChange={(event) => setPrivate(event.currentTarget.checked)}
          />
          Private: only members see it
        </label>
        <Problem text={problem} />
        <DialogActions action="Create" isDisabled={name.trim() === ''} onCancel={close} />
      </form>
    </Dialog>
  );
}
