import { Writable, type Duplex } from 'node:stream';
import type { ChatStore } from '@openclaw/chat-store';
import { createSequencer } from '@openclaw/events';
import { encodeEnvelope, type ChannelEvent, type EncodedEnvelope } from '@openclaw/protocol';
import type { WebSocket } from 'ws';
import type { Identity } from '../auth/identity.ts';
import { createFlusher } from '../live/flusher.ts';
import { Room } from '../live/room.ts';
import { Session } from '../live/session.ts';

const channelId = 'c';
const epoch = 'e';

/** A peer's end of a socket: it takes what the hub writes only while it reads. */
export interface Peer {
  isReading: boolean;
  /** Every frame it took, parsed. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into frames freely
  readonly frames: readonly any[];
  /** Every JSON-RPC object it took, in order, whether alone in its frame or in an array. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly objects: readonly any[];
  /** The seqs of the events it took. */
  readonly seqs: readonly number[];
  read(): void;
}

/** One session in one room over a log that the test writes, without a network. */
export interface SessionBench {
  readonly room: Room;
  readonly session: Session;
  readonly peer: Peer;
  /** Whether the hub reads from the peer. */
  readonly isRead: boolean;
  /** Appends events to the log and brings them to the room. Returns the seq of the last. */
  publish(count: number, contentBytes?: number): number;
  /** As {@link SessionBench.publish}, one event of the test's choice. */
  publishEvent(event: ChannelEvent): number;
  /** Takes the place of the store's next answer: it may fail, or wait. */
  onNextPage(answer: (page: () => readonly EncodedEnvelope[]) => Promise<readonly EncodedEnvelope[]>): void;
  /** Lets the hub send what it has. */
  turn(): Promise<void>;
}

/** Creates a session of the agent `ben`, not yet in the room, whose head is 0. */
export function createSessionBench({ protocol = 'openclaw.v1' } = {}): SessionBench {
  const log: EncodedEnvelope[] = [];
  const flusher = createFlusher();
  const room = new Room(channelId, 0, flusher, (head, deliver) =>
    createSequencer({ channelId, epoch, head, deliver, fetch: async () => [] }),
  );
  const { peer, socket } = createPeer();
  let isRead = true;
  const ws = {
    ...{ readyState: 1, OPEN: 1, protocol },
    pause: () => void (isRead = false),
    resume: () => void (isRead = true),
  } as unknown as WebSocket;
  let answerNext: Parameters<SessionBench['onNextPage']>[0] | null = null;
  const store: Pick<ChatStore, 'logPage'> = {
    async logPage(_channelId, after, limit) {
      const page = () => log.slice(after, after + limit);
      const answer = answerNext;
      answerNext = null;
      return { events: answer ? await answer(page) : page(), head: log.length };
    },
  };
  const nothing = { channels: null, jti: null, issuedAtMs: null, expiresAtMs: null };
  const identity: Identity = { agentId: 'ben', isAdmin: false, ...nothing };
  const session = new Session(ws, socket, 'session', identity, {
    ...{ store, flusher, onLag: () => undefined, onLeftRoom: () => undefined },
  });

  function publishEvent(event: ChannelEvent): number {
    const seq = log.length + 1;
    const encoded = encodeEnvelope({
      ...{ id: `e${seq}`, event, timestamp: 1, senderId: 'ana', channelId, seq, epoch },
    });
    log.push(encoded);
    room.offer(encoded);
    return seq;
  }

  return {
    ...{ room, session, peer, publishEvent },
    get isRead() {
      return isRead;
    },
    publish(count, contentBytes = 10) {
      const payload = { content: 'x'.repeat(contentBytes) };
      for (let i = 0; i < count; i++)
        publishEvent({ type: 'collaboration.event', channelId, name: 'n', payload });
      return log.length;
    },
    onNextPage: (answer) => void (answerNext = answer),
    turn: () => new Promise((resolve) => setImmediate(() => setImmediate(resolve))),
  };
}

function createPeer(): { peer: Peer; socket: Duplex } {
  const frames: unknown[] = [];
  const waiting: (() => void)[] = [];
  const peer: Peer = {
    isReading: true,
    frames,
    get objects() {
      return frames.flat();
    },
    get seqs() {
      return peer.objects
        .filter(({ method }) => method === 'event')
        .map(({ params }) => params.seq as number);
    },
    read() {
      peer.isReading = true;
      for (const take of waiting.splice(0)) take();
    },
  };
  const socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const take = () => {
        if (chunk.length > 0) frames.push(JSON.parse(payloadOf(chunk)));
        done();
      };
      if (peer.isReading) take();
      else waiting.push(take);
    },
  });
  return { peer, socket: socket as unknown as Duplex };
}

/** The text of a whole unmasked frame. */
function payloadOf(frame: Buffer): string {
  const length = frame[1] ?? 0;
  return frame.toString('utf8', length < 126 ? 2 : length === 126 ? 4 : 10);
}
