import type { ChatStore } from '@openclaw/chat-store';
import { createSequencer } from '@openclaw/events';
import { encodeEnvelope, type ChannelEvent, type EncodedEnvelope } from '@openclaw/protocol';
import { createFlusher, type Flusher } from '../channels/flusher.ts';
import { Room } from '../channels/room.ts';
import { Session } from '../sockets/session.ts';
import { createUnsentBudget, type UnsentBudget } from '../sockets/unsent-budget.ts';
import { createTimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import { identityOf } from './identity.ts';
import { createPeer, type Peer } from './peer.ts';

const channelId = 'c';
const epoch = 'e';

export interface SessionBench {
  readonly room: Room;
  readonly flusher: Flusher;
  readonly session: Session;
  readonly peer: Peer;
  /** Appends events and offers them to the room. Returns the seq of the last. */
  readonly publish: (count: number, contentBytes?: number) => number;
  publishEvent(event: ChannelEvent): number;
  broadcast(event: ChannelEvent): void;
  /** Replaces the store's next answer, so that it can fail or wait. */
  onNextPage(
    answer: (page: () => readonly EncodedEnvelope[]) => Promise<readonly EncodedEnvelope[]>,
  ): void;
  /** `requested` resolves when the session reads the page; `release` lets the store answer. */
  holdNextPage(): { readonly requested: Promise<void>; readonly release: () => void };
  /** Afterwards, the store returns no event below the floor. The room does not learn of the new floor. */
  readonly trim: (floor: number) => void;
  readonly turn: () => Promise<void>;
}

/** The live session of `ben` is not yet in the room; the room's head is 0. */
export function createSessionBench({
  protocol = 'openclaw.v1',
  unsent = createUnsentBudget(),
}: { readonly protocol?: string; readonly unsent?: UnsentBudget } = {}): SessionBench {
  const log: EncodedEnvelope[] = [];
  const flusher = createFlusher();
  const readLog = async (after: number) => log.slice(after);
  const room = new Room(channelId, 0, {
    flusher,
    readLog,
    createSequencer: (head, deliver) =>
      createSequencer({ channelId, epoch, head, deliver, fetch: async () => [] }),
  });
  const { peer, socket, ws } = createPeer(protocol);
  let floor = 1;
  let answerNext: Parameters<SessionBench['onNextPage']>[0] | null = null;
  const store: Pick<ChatStore, 'logPage'> = {
    async logPage(_channelId, after, limit) {
      const page = () => log.slice(Math.max(after, floor - 1), after + limit);
      const answer = answerNext;
      answerNext = null;
      return { events: answer ? await answer(page) : page(), head: log.length, floor, epoch };
    },
  };
  const session = new Session(ws, socket, 'session', identityOf('ben'), {
    store,
    flusher,
    unsent,
    slices: createTimeSlicedQueue(),
    onLag: () => undefined,
    onLeftRoom: () => undefined,
  });
  session.welcomed({ isComplete: true, epochGeneration: 0 });

  function publishEvent(event: ChannelEvent): number {
    const seq = log.length + 1;
    const encoded = encodeEnvelope({
      id: `e${seq}`,
      event,
      timestamp: 1,
      senderId: 'ana',
      senderKind: null,
      channelId,
      seq,
      epoch,
    });
    log.push(encoded);
    room.offer(encoded);
    return seq;
  }

  let broadcasts = 0;

  return {
    room,
    flusher,
    session,
    peer,
    publishEvent,
    broadcast(event) {
      const id = `s${(broadcasts += 1)}`;
      const rest = {
        id,
        timestamp: 1,
        senderId: 'ana',
        senderKind: null,
        channelId,
        seq: null,
        epoch,
      };
      room.broadcast(encodeEnvelope({ ...rest, event }));
    },
    publish(count, contentBytes = 10) {
      const payload = { content: 'x'.repeat(contentBytes) };
      for (let i = 0; i < count; i++)
        publishEvent({ type: 'collaboration.event', channelId, name: 'n', payload });
      return log.length;
    },
    onNextPage: (answer) => void (answerNext = answer),
    holdNextPage() {
      const request = Promise.withResolvers<void>();
      const held = Promise.withResolvers<void>();
      answerNext = async (page) => {
        request.resolve();
        await held.promise;
        return page();
      };
      return { requested: request.promise, release: held.resolve };
    },
    trim: (next) => void (floor = next),
    async turn() {
      // Flushes directly, because the flusher may wait for some ms.
      await new Promise((resolve) => setImmediate(resolve));
      room.flush();
      session.flush();
    },
  };
}

/**
 * Publishes more than the hub buffers for a peer that does not read, and more than a room keeps in memory. Returns
 * the last seq.
 */
export async function fallBehind({ peer, publish, session, turn }: SessionBench): Promise<number> {
  peer.isReading = false;
  while (!session.isLagging) {
    publish(10, 60_000);
    await turn();
  }
  const last = publish(40, 60_000);
  await turn();
  return last;
}
