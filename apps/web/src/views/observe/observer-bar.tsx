import type { Channel } from '@openclaw/protocol';
import { usePage } from '../page-state.ts';
import { useJoin } from './use-join.ts';

export function ObserverBar({ channel }: { channel: Channel }) {
  const { session } = usePage();
  const join = useJoin(channel);
  const isPublic = channel.kind === 'public';
  const becomeMember = async () => {
    await session.client.channel(channel.channelId).addMember(session.me);
    session.chats.add(channel);
  };
  return (
    <div class="read-only observer-bar line">
      <p class="quiet fill">
        {isPublic
          ? 'You read along without being a member.'
          : 'You read along in a channel that is not public. This is in the audit log.'}
      </p>
      {channel.archivedAt === null && isPublic && (
        <button class="primary" onClick={join}>
          Join
        </button>
      )}
      {channel.archivedAt === null && channel.kind === 'private' && (
        <button
          onClick={() => {
            becomeMember().catch(session.notices.report('You are no member yet'));
          }}
        >
          Become a member
        </button>
      )}
    </div>
  );
}
