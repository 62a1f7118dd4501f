import type { ChatStore } from '@openclaw/chat-store';
import type { HubCache } from '../channels/hub-cache.ts';
import type { Rooms } from '../channels/rooms.ts';
import { whyNotMember } from '../methods/rights.ts';
import type { Session } from '../sockets/session.ts';
import type { Sessions } from '../sockets/sessions.ts';

const maxRounds = 20;
/** This many concurrent reads of rights keep the store busy, so more would not be faster. */
const agentsAtOnce = 16;
const channelsAtOnce = 1_000;

export interface EpochDeps {
  readonly store: Pick<ChatStore, 'access' | 'heads'>;
  readonly rooms: Pick<Rooms, 'channelIds' | 'beginEpoch'>;
  readonly sessions: Pick<Sessions, 'agentIds' | 'ofAgent'>;
  readonly cache: Pick<HubCache, 'drop'>;
}

/**
 * Call it when a backup was restored and the store is in the new epoch. Every live channel continues from its head in
 * the restored log, and its sockets get a discontinuity. Sockets of former members leave before any event of the new
 * epoch. Data of the previous epoch in Redis is dropped. If the call rejects, no room was changed, and the call can be
 * repeated.
 */
export async function beginEpoch({ store, rooms, sessions, cache }: EpochDeps): Promise<void> {
  const heads = new Map<string, number>();
  // Reads are repeated for rooms that are opened during the read, until every room has a head.
  async function readNewHeads(): Promise<void> {
    let missing = rooms.channelIds().filter((channelId) => !heads.has(channelId));
    for (let round = 1; missing.length > 0; round++) {
      if (round > maxRounds) throw new Error('rooms are opened faster than their heads are read');
      const found = await store.heads(missing);
      for (const channelId of missing) heads.set(channelId, found.get(channelId) ?? 0);
      missing = rooms.channelIds().filter((channelId) => !heads.has(channelId));
    }
  }
  await readNewHeads();
  // Rights are read after the heads. If an agent is removed after this read, it leaves with the event of its removal,
  // which comes after the head. Sockets that enter a room from here on have rights of the new epoch, see `subscribe`.
  const outsiders = await readOutsiders(store, sessions);
  await readNewHeads();
  const channelIds = rooms.channelIds();
  rooms.beginEpoch(heads, (room) => {
    for (const session of outsiders.get(room.channelId) ?? []) {
      if (room.members.has(session)) session.ended(room, 'epoch');
    }
  });
  // Redis may be away. This does no harm, because cached values are compared with the log's head when they are served.
  await cache.drop(channelIds, { forgetHeads: true }).catch(() => undefined);
}

/** Maps each channel to the sockets whose agents are not its members any more. Reads rights once per agent. */
async function readOutsiders(
  store: Pick<ChatStore, 'access'>,
  sessions: EpochDeps['sessions'],
): Promise<Map<string, Session[]>> {
  const outsiders = new Map<string, Session[]>();
  const agentIds = [...sessions.agentIds()].values();

  async function readAgent(agentId: string): Promise<void> {
    const entered = [...sessions.ofAgent(agentId)].flatMap((session) =>
      [...session.rooms.keys()].map((channelId) => ({ session, channelId })),
    );
    const channelIds = [...new Set(entered.map(({ channelId }) => channelId))];
    const access: Awaited<ReturnType<ChatStore['access']>> = new Map();
    for (let from = 0; from < channelIds.length; from += channelsAtOnce) {
      const some = channelIds.slice(from, from + channelsAtOnce);
      // The read is queued under the hub's name, so that an agent's flood of calls does not delay the new epoch.
      for (const [id, found] of await store.access(agentId, some, null)) access.set(id, found);
    }
    for (const { session, channelId } of entered) {
      const found = access.get(channelId);
      if (found && whyNotMember(found, session.identity) === null) continue;
      const known = outsiders.get(channelId);
      if (known) known.push(session);
      else outsiders.set(channelId, [session]);
    }
  }

  async function work(): Promise<void> {
    for (const agentId of agentIds) await readAgent(agentId);
  }
  await Promise.all(Array.from({ length: agentsAtOnce }, work));
  return outsiders;
}
