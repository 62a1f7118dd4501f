import type { ChatStore } from '@openclaw/chat-store';
import { limits } from '@openclaw/protocol';
import { batchFrames, type Room } from './room.ts';
import type { Session } from './session.ts';

/**
 * Sends a socket that fell behind what it is owed of a room, from the room's memory or, beyond that, page by page from
 * the store, no faster than it reads. Past the resume limit it is told of a discontinuity instead.
 * @returns the seq up to which the socket now has everything
 */
export async function catchUp(
  store: ChatStore,
  session: Session,
  room: Room,
  afterSeq: number,
): Promise<number> {
  let sent = afterSeq;
  for (;;) {
    if (!session.isOpen) return room.head;
    room.flush();
    if (room.head - sent > limits.resumeEvents) {
      const params = { channelId: room.channelId, head: room.head, reason: 'behind' };
      session.send(JSON.stringify({ jsonrpc: '2.0', method: 'discontinuity', params }));
      return room.head;
    }
    const inMemory = room.after(sent);
    const events =
      inMemory ??
      (await store.logPage(room.channelId, sent, limits.logPage, limits.resumeBytes)).events;
    for (const frame of batchFrames(events)) session.enqueue(frame);
    sent = events.at(-1)?.seq ?? room.head;
    if (inMemory) return room.head;
    await session.drained();
  }
}
