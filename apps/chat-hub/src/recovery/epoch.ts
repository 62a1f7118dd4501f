import type { ChatStore } from '@openclaw/chat-store';
import type { HubCache } from '../channels/hub-cache.ts';
import type { Rooms } from '../channels/rooms.ts';
import { whyNotMember } from '../methods/rights.ts';
import type { Sessions } from '../sockets/sessions.ts';

const maxRounds = 20;

export interface EpochDeps {
  readonly store: Pick<ChatStore, 'access' | 'heads'>;
  readonly rooms: Pick<Rooms, 'channelIds' | 'restart'>;
  readonly sessions: Pick<Sessions, 'all'>;
  readonly cache: Pick<HubCache, 'drop'>;
}

/**
 * Another life of the database: every live channel goes on from its head there, its sockets are told that what they
 * have cannot be continued, and what Redis remembers of the life before is dropped. Who is no member in it, having
 * joined after the backup was made, hears nothing more.
 */
export async function beginEpoch({ store, rooms, sessions, cache }: EpochDeps): Promise<void> {
  const heads = new Map<string, number>();
  // Rooms are opened while heads are read: those are asked for too, until none is left.
  for (let asked = rooms.channelIds(), round = 1; asked.length > 0; round++) {
    if (round > maxRounds) throw new Error('rooms are opened faster than their heads are read');
    const found = await store.heads(asked);
    for (const channelId of asked) heads.set(channelId, found.get(channelId) ?? 0);
    asked = rooms.channelIds().filter((channelId) => !heads.has(channelId));
  }
  const channelIds = rooms.channelIds();
  rooms.restart(heads);
  // With Redis away there is nothing to drop now; what comes back is compared with the log's head before it is served.
  await cache.drop(channelIds, { forgetHeads: true }).catch(() => undefined);
  for (const session of [...sessions.all()]) {
    const entered = [...session.rooms.keys()];
    const access = await store.access(session.agentId, entered);
    for (const channelId of entered) {
      const found = access.get(channelId);
      if (!found || whyNotMember(found, session.identity.isAdmin)) session.leave(channelId);
    }
  }
}
