import { ChatStoreError, type ChatStore } from '@openclaw/chat-store';
import { asHub } from '../edge/identity.ts';
import type { HubCache } from './hub-cache.ts';
import type { Room } from './room.ts';
import type { Rooms } from './rooms.ts';

export type DirectMembers = (channelId: string) => Promise<readonly string[]>;

/** A direct channel's members never change, so a live room needs only one read of them. */
export function createDirectMembers(deps: {
  readonly store: Pick<ChatStore, 'read' | 'logPage'>;
  readonly cache: Pick<HubCache, 'members'>;
  readonly rooms: Pick<Rooms, 'get'>;
}): DirectMembers {
  const { store, cache, rooms } = deps;
  const ofRoom = new WeakMap<Room, readonly string[]>();

  async function load(channelId: string) {
    const two = { channelId, cursor: null, limit: 2 };
    const page = await store.read(asHub, 'member.list', two, null);
    if (!page.ok) throw new ChatStoreError('unavailable', page.message);
    const { head } = await store.logPage(channelId, Number.MAX_SAFE_INTEGER, 1, 1);
    return { value: page.result.members.map((member) => member.agentId), head };
  }

  return async (channelId) => {
    const room = rooms.get(channelId);
    const known = room && ofRoom.get(room);
    if (known) return known;
    const { value } = await cache.members.read(channelId, () => load(channelId));
    if (room) ofRoom.set(room, value);
    return value;
  };
}
