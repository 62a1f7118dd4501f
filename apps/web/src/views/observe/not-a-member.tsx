import { useEffect, useState } from 'preact/hooks';
import { HubError } from '@openclaw/client';
import type { Channel } from '@openclaw/protocol';
import { ChatView } from '../conversation/chat-view.tsx';
import { usePage } from '../page-state.ts';
import { IsolatedText } from '../shared/agents.tsx';
import { Icon } from '../shared/controls.tsx';
import { dayText } from '../shared/format-time.ts';
import { useJoin } from './use-join.ts';

type Found = Channel | 'searching' | 'hidden';

/**
 * An admin can read the messages. Anyone else sees the channel's name and topic, and can join a public channel. Joining
 * keeps the address, so a link to a message still works afterwards.
 */
export function NotAMember(props: { channelId: string; threadId: string | null }) {
  const { channelId, threadId } = props;
  const { session } = usePage();
  const { client, chats, notices } = session;
  const [found, setFound] = useState<Found>('searching');
  const observed = chats.observed.value;

  useEffect(() => {
    let isShown = true;
    const find = async () => {
      const { channel } = await client.channel(channelId).get();
      const mayRead = await canRead(channelId);
      if (!isShown || chats.byId.peek().has(channelId)) return;
      if (mayRead) chats.observe(channel);
      setFound(channel);
    };
    // Only the hub knows who may observe. It refuses the history to everyone else.
    const canRead = (id: string) =>
      client
        .channel(id)
        .history({ limit: 1 })
        .then(
          () => true,
          (error: unknown) => {
            if (isRefusal(error)) return false;
            throw error;
          },
        );
    find().catch((error: unknown) => {
      if (!isShown) return;
      if (!isRefusal(error)) notices.report('The channel could not be loaded')(error);
      setFound('hidden');
    });
    return () => {
      isShown = false;
      chats.endObserving();
    };
  }, [channelId]);

  if (observed?.id === channelId) {
    return <ChatView key={channelId} chat={observed} threadId={threadId} />;
  }
  if (found === 'searching') {
    return <main class="empty column quiet fill">Loading the channel…</main>;
  }
  if (found === 'hidden' || found.kind !== 'public') return <Hidden />;
  return <Preview channel={found} />;
}

const isRefusal = (error: unknown) =>
  error instanceof HubError && (error.code === 'not_found' || error.code === 'forbidden');

function Hidden() {
  return (
    <main class="empty column quiet fill">
      <p>You are not a member of this channel.</p>
      <p>It is private, or it does not exist any more. Ask one of its owners to add you.</p>
      <a class="button" href="#/browse">
        Browse channels
      </a>
    </main>
  );
}

function Preview({ channel }: { channel: Channel }) {
  const join = useJoin(channel);
  const { name, topic, createdBy, createdAt, archivedAt } = channel;
  return (
    <main class="empty column fill preview">
      <h1 class="line">
        <Icon name="hash" />
        <IsolatedText text={name} />
      </h1>
      {topic !== null && (
        <p>
          <IsolatedText text={topic} />
        </p>
      )}
      <p class="quiet">{`Public · by ${createdBy} · ${dayText(createdAt)}`}</p>
      {archivedAt === null ? (
        <>
          <p class="quiet">
            You are not a member of this channel. Join it to read its messages and to write.
          </p>
          <button class="primary" onClick={join}>
            Join
          </button>
        </>
      ) : (
        <p class="quiet">It is archived, so nobody can join it.</p>
      )}
    </main>
  );
}
