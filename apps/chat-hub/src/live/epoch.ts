import type { ChatStore } from '@openclaw/chat-store';
import type { HubCache } from '../hub.ts';
import type { Rooms } from './rooms.ts';

export interface EpochDeps {
  readonly store: Pick<ChatStore, 'access'>;
  readonly rooms: Rooms;
  readonly cache: Pick<HubCache, 'drop'>;
}

/**
 * Another life of the database: every live channel goes on from its head there, its sockets are told that what they
 * have cannot be continued, and what Redis remembers of the life before is dropped.
 */
export async function beginEpoch({ store, rooms, cache }: EpochDeps): Promise<void> {
  const channelIds = rooms.channelIds();
  const heads = await store.access('hub', channelIds);
  for (const channelId of channelIds)
    rooms.get(channelId)?.restart(heads.get(channelId)?.head ?? 0);
  // With Redis away there is nothing to drop now; what comes back is compared with the log's head before it is served.
  await cache.drop(channelIds, { forgetHeads: true }).catch(() => undefined);
}
