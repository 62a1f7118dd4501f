import type { Channel } from '@openclaw/protocol';
import { usePage } from '../page-state.ts';

export function useJoin(channel: Channel): () => void {
  const { session } = usePage();
  return () => {
    session.client
      .channel(channel.channelId)
      .join()
      .then(() => void session.chats.add(channel))
      .catch(session.notices.report(`You could not join #${channel.name}`));
  };
}
