import { EventEmitter } from 'node:events';
import { Writable, type Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** The test's end of a socket. Gets data from the hub only while `isReading` is true. */
export interface Peer {
  isReading: boolean;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into frames freely
  readonly frames: readonly any[];
  /** The JSON objects in order of arrival, whether each came in its own frame or in an array. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly objects: readonly any[];
  readonly seqs: readonly number[];
  readonly isRead: boolean;
  readonly closed: { readonly code: number; readonly reason: string } | null;
  readonly isCut: boolean;
  read(): void;
  /** Receives one write of the hub, even while `isReading` is false. */
  take(): void;
}

export function createPeer(protocol: string): { peer: Peer; ws: WebSocket; socket: Duplex } {
  const frames: unknown[] = [];
  const waiting: (() => void)[] = [];
  let isRead = true;
  let closed: Peer['closed'] = null;
  const peer: Peer = {
    isReading: true,
    frames,
    get isRead() {
      return isRead;
    },
    get closed() {
      return closed;
    },
    get isCut() {
      return socket.destroyed;
    },
    get objects() {
      return frames.flat();
    },
    get seqs() {
      return peer.objects
        .filter(({ method }) => method === 'event')
        .map(({ params }) => params.seq as number);
    },
    take: () => waiting.shift()?.(),
    read() {
      peer.isReading = true;
      for (const take of waiting.splice(0)) take();
    },
  };
  const socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const take = () => {
        for (const payload of payloadsOf(chunk)) frames.push(JSON.parse(payload));
        done();
      };
      if (peer.isReading) take();
      else waiting.push(take);
    },
  });
  const ws = Object.assign(new EventEmitter(), {
    readyState: 1,
    OPEN: 1,
    protocol,
    pause: () => void (isRead = false),
    resume: () => void (isRead = true),
    close(code: number, reason: string) {
      closed = { code, reason };
      ws.readyState = 2;
    },
    terminate() {
      ws.readyState = 3;
      socket.destroy();
    },
  });
  return { peer, ws: ws as unknown as WebSocket, socket: socket as unknown as Duplex };
}

function payloadsOf(chunk: Buffer): string[] {
  const payloads: string[] = [];
  for (let offset = 0; offset < chunk.length;) {
    const short = chunk[offset + 1] ?? 0;
    const start = offset + (short < 126 ? 2 : short === 126 ? 4 : 10);
    const length =
      short < 126
        ? short
        : short === 126
          ? chunk.readUInt16BE(offset + 2)
          : Number(chunk.readBigUInt64BE(offset + 2));
    payloads.push(chunk.toString('utf8', start, start + length));
    offset = start + length;
  }
  return payloads;
}
