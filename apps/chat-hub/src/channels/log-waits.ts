import type { ChatStore } from '@openclaw/chat-store';
import { whyNotMember } from '../methods/rights.ts';
import type { Refusal } from '@openclaw/protocol';
import { isWithinBounds, type Identity } from '../edge/identity.ts';
import { createCallWaits, type CallWait, type EndWait, type Waited } from './call-waits.ts';
import type { Rooms } from './rooms.ts';

/** An agent without a socket needs one waiting read for each channel that it follows. */
const maxPerAgent = 16;

export interface LogWait extends CallWait {
  readonly channelId: string;
  readonly after: number;
}

/**
 * A waiting read costs the database one look-up, and then waits for an event in the channel's room. The log is read
 * after the wait, so an agent that was removed during the wait is refused.
 */
export function createLogWaits(deps: {
  readonly store: Pick<ChatStore, 'access'>;
  readonly rooms: Pick<Rooms, 'open' | 'left' | 'epochGeneration'>;
  readonly isRevoked: (identity: Identity) => boolean;
  readonly onFailed: (error: unknown) => Refusal;
  readonly perAgent?: number;
  readonly perHub?: number;
}) {
  const { store, rooms } = deps;
  const waits = createCallWaits({ perAgent: maxPerAgent, ...deps });

  /** Null when the agent may not read the log; the read that follows returns the refusal. */
  async function readableHead(identity: Identity, channelId: string): Promise<number | null> {
    if (!isWithinBounds(identity, channelId)) return null;
    const access = (await store.access(identity.agentId, [channelId])).get(channelId);
    return access && whyNotMember(access, identity) === null ? access.head : null;
  }

  async function waitForEvent(wait: LogWait, ended: Promise<Waited>, end: EndWait) {
    const { identity, channelId, after } = wait;
    const { epochGeneration } = rooms;
    // The rights are checked before the room is opened, because an outsider must not open one.
    const head = await readableHead(identity, channelId);
    // If `after` is above the head, it belongs to another epoch. The client learns this from the answer's head.
    if (head === null || head !== after) return 'read';
    const room = await rooms.open(channelId);
    const unwatch = room.watch((seq) => {
      if (seq === null || seq > after) end('read');
    });
    try {
      // The room is already watched, so an event that the room gets later ends the wait.
      if (room.head > after || rooms.epochGeneration !== epochGeneration) return 'read';
      room.raise(head);
      return await ended;
    } finally {
      unwatch();
      rooms.left(room);
    }
  }

  return {
    ...waits,
    get size() {
      return waits.size;
    },
    run: (wait: LogWait, respond: (waited: Waited) => Promise<void>) =>
      waits.run(wait, (ended, end) => waitForEvent(wait, ended, end), respond),
  };
}

export type LogWaits = ReturnType<typeof createLogWaits>;
