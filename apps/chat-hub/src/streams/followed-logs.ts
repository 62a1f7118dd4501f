import { decodeEnvelope, type ChannelEvent } from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { Rooms } from '../channels/rooms.ts';

/**
 * Follows the logs of the channels in which messages grow. A text in memory is forgotten at once when another agent,
 * a freeze or another hub has ended its message.
 */
export function createFollowedLogs(deps: {
  readonly rooms: Pick<Rooms, 'get' | 'open' | 'left'>;
  /** True while messages of the channel are in memory. */
  readonly isNeeded: (channelId: string) => boolean;
  readonly onEnded: (messageId: string) => void;
  /** Called when no message of the channel may grow any longer, or when the log cannot be followed further. */
  readonly onAllEnded: (channelId: string) => void;
  /**
   * Called when the channel is frozen, which ends all growing messages of agents. The freeze's transaction logs the end
   * of at most 50 messages, so the ends of further messages have no events yet.
   */
  readonly onFrozen: (channelId: string) => void;
  readonly log: Logger;
}) {
  const { rooms, log, isNeeded, onEnded, onAllEnded, onFrozen } = deps;
  const followed = new Map<string, () => void>();
  const opening = new Set<string>();
  let isClosed = false;

  /** A failure does no harm, because the next checkpoint also finds out whether a message has ended. */
  function openRoom(channelId: string): void {
    if (opening.has(channelId)) return;
    opening.add(channelId);
    rooms
      .open(channelId)
      .then(() => {
        if (isNeeded(channelId)) follow(channelId);
      })
      .catch((error: unknown) => log.debug({ err: error, channelId }, 'a channel is not followed'))
      .finally(() => opening.delete(channelId));
  }

  function follow(channelId: string): void {
    if (isClosed || followed.has(channelId)) return;
    const room = rooms.get(channelId);
    if (!room) return openRoom(channelId);
    const stop = room.watch((seq) => {
      const encoded = seq === null ? null : room.after(seq - 1)?.[0];
      if (!encoded) return onAllEnded(channelId);
      if (!endingTypes.has(encoded.type)) return;
      const event = decodeEnvelope(encoded.json)?.envelope.event;
      if (!event || event.type === 'channel.delete' || event.type === 'channel.archive')
        return onAllEnded(channelId);
      if (event.type === 'collaboration.event' && event.name === 'freeze.set') onFrozen(channelId);
      else if ('message' in event) onEnded(event.message.id);
    });
    followed.set(channelId, () => {
      stop();
      rooms.left(room);
    });
  }

  function release(channelId: string): void {
    followed.get(channelId)?.();
    followed.delete(channelId);
  }

  return {
    follow,
    release,
    close(): void {
      isClosed = true;
      for (const channelId of [...followed.keys()]) release(channelId);
    },
  };
}

const endingTypes: ReadonlySet<string> = new Set<ChannelEvent['type']>([
  'channel.message.edit',
  'channel.message.delete',
  'channel.delete',
  'channel.archive',
  'collaboration.event',
]);
