import type { ChatStore } from '@openclaw/chat-store';
import { createSequencer } from '@openclaw/events';
import { encodeEnvelope, type ChannelEvent, type EncodedEnvelope } from '@openclaw/protocol';
import type { Identity } from '../edge/identity.ts';
import { createFlusher } from '../channels/flusher.ts';
import { Room } from '../channels/room.ts';
import { Session } from '../sockets/session.ts';
import type { UnsentBudget } from '../sockets/unsent-budget.ts';
import { createPeer, type Peer } from './peer.ts';

const channelId = 'c';
const epoch = 'e';

/** One session in one room over a log that the test writes, without a network. */
export interface SessionBench {
  readonly room: Room;
  readonly session: Session;
  readonly peer: Peer;
  /** Appends events to the log and brings them to the room. Returns the seq of the last. */
  readonly publish: (count: number, contentBytes?: number) => number;
  /** As {@link SessionBench.publish}, one event of the test's choice. */
  publishEvent(event: ChannelEvent): number;
  /** Brings the room an event that is in no log. */
  broadcast(event: ChannelEvent): void;
  /** Takes the place of the store's next answer: it may fail, or wait. */
  onNextPage(
    answer: (page: () => readonly EncodedEnvelope[]) => Promise<readonly EncodedEnvelope[]>,
  ): void;
  /** Lets the hub send what it has. */
  readonly turn: () => Promise<void>;
}

/** Creates a session of the agent `ben`, not yet in the room, whose head is 0. */
export function createSessionBench({
  protocol = 'openclaw.v1',
  unsent,
}: { readonly protocol?: string; readonly unsent?: UnsentBudget } = {}): SessionBench {
  const log: EncodedEnvelope[] = [];
  const flusher = createFlusher();
  const readLog = async (after: number) => log.slice(after);
  const room = new Room(channelId, 0, flusher, readLog, (head, deliver) =>
    createSequencer({ channelId, epoch, head, deliver, fetch: async () => [] }),
  );
  const { peer, socket, ws } = createPeer(protocol);
  let answerNext: Parameters<SessionBench['onNextPage']>[0] | null = null;
  const store: Pick<ChatStore, 'logPage'> = {
    async logPage(_channelId, after, limit) {
      const page = () => log.slice(after, after + limit);
      const answer = answerNext;
      answerNext = null;
      return { events: answer ? await answer(page) : page(), head: log.length, epoch };
    },
  };
  const nothing = {
    channels: null,
    jti: null,
    issuedAtMs: null,
    expiresAtMs: null,
    kind: 'agent' as const,
    onBehalfOf: null,
  };
  const identity: Identity = { agentId: 'ben', isAdmin: false, ...nothing };
  const session = new Session(ws, socket, 'session', identity, {
    ...(unsent && { unsent }),
    ...{ store, flusher, onLag: () => undefined, onLeftRoom: () => undefined },
  });

  function publishEvent(event: ChannelEvent): number {
    const seq = log.length + 1;
    const encoded = encodeEnvelope({
      ...{
        id: `e${seq}`,
        event,
        timestamp: 1,
        senderId: 'ana',
        senderKind: null,
        channelId,
        seq,
        epoch,
      },
    });
    log.push(encoded);
    room.offer(encoded);
    return seq;
  }

  let broadcasts = 0;

  return {
    ...{ room, session, peer, publishEvent },
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
    async turn() {
      // A microtask may have more to send; the flusher itself may wait longer, by how busy it was.
      await new Promise((resolve) => setImmediate(resolve));
      room.flush();
      session.flush();
    },
  };
}
