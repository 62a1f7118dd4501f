import type { Dialect, Identity } from '../dialects/dialect.ts';
import { createFinder } from './finder.ts';
import { openLeanSocket, type LeanSocket } from './lean-socket.ts';
import { indexAt, markLength, nextMark, sentMicrosAt } from './marks.ts';

export interface ClientEvents {
  /** `sentMicros` is the time of the send, by this process's clock. */
  onDelivery(client: Client, index: number, sentMicros: number): void;
  onAccepted(index: number): void;
  onRefused(answer: string): void;
  onPositionLost(): void;
}

export interface Client {
  readonly channelIds: readonly string[];
  readonly isReady: boolean;
  /** Counts ready connections that ended although the client did not end them. */
  readonly closes: number;
  readonly retryAfterMs: number | null;
  /** Resolves when the client is subscribed to its channels. Rejects if it is refused or disconnected before that. */
  connect(): Promise<void>;
  publish(index: number, channelId: string, content: string): void;
  /** Breaks the connection, as a failing network does. Resolves when it is broken. */
  cut(): Promise<void>;
  stayConnected(): void;
  close(): Promise<void>;
}

export interface ClientOptions {
  readonly dialect: Dialect;
  readonly port: number;
  readonly agentId: string;
  readonly channelIds: readonly string[];
  /**
   * If true, the client knows its position, and parses every frame. If false, it only searches the received bytes for
   * the marks of messages, at a tenth of the cost.
   */
  readonly readsFrames: boolean;
}

const firstRetryMs = 200;
const longestRetryMs = 2_000;

export function createClient(options: ClientOptions, events: ClientEvents): Client {
  const { dialect, port, channelIds, readsFrames } = options;
  const identity: Identity = { agentId: options.agentId, channelIds, memory: new Map() };
  let socket: LeanSocket | null = null;
  let isReady = false;
  let isLeaving = false;
  let staysConnected = false;
  let retryAfterMs: number | null = null;
  let closes = 0;
  let failures = 0;
  let closed = Promise.resolve();

  function connect(): Promise<void> {
    const ready = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    closed = ended.promise;
    isReady = false;
    isLeaving = false;
    retryAfterMs = null;
    const conversation = dialect.converse(identity, {
      send: (text) => opened.send(text),
      ready() {
        isReady = true;
        failures = 0;
        ready.resolve();
      },
      message(content) {
        const bytes = Buffer.from(content);
        const at = nextMark(bytes, 0);
        if (at !== Infinity) events.onDelivery(client, indexAt(bytes, at), sentMicrosAt(bytes, at));
      },
      accepted: (index) => events.onAccepted(index),
      refused(answer) {
        events.onRefused(answer);
        ready.reject(new Error(`${options.agentId} was refused: ${answer.slice(0, 300)}`));
      },
      reconnect: (afterMs) => (retryAfterMs = afterMs),
      positionLost: () => events.onPositionLost(),
    });
    const refusals = createFinder(dialect.refusalMark);
    let scanned: Buffer | null = null;
    let markAt = Infinity;
    const scan = (bytes: Buffer, start: number, end: number) => {
      // Frames that arrived together are searched in one pass. The finder does this too, but does not give the position
      // of a mark.
      if (bytes !== scanned || markAt < start) markAt = nextMark(bytes, start);
      scanned = bytes;
      while (markAt < end) {
        events.onDelivery(client, indexAt(bytes, markAt), sentMicrosAt(bytes, markAt));
        markAt = nextMark(bytes, markAt + markLength);
      }
    };
    const { ping } = dialect;
    const pingBytes = Buffer.from(ping?.alone ?? '');
    const pings = ping?.inside ? createFinder(ping.inside) : null;
    const isPing = (bytes: Buffer, start: number, end: number) =>
      pingBytes.every((byte, at) => bytes[start + at] === byte) ||
      (pings !== null && pings.isIn(bytes, start, end));
    const opened = openLeanSocket(
      { port, path: dialect.path(options.agentId), protocol: dialect.protocol },
      {
        onOpen: () => conversation.opened(),
        onFrame(bytes, start, end) {
          if (readsFrames || !isReady) {
            conversation.read(bytes.toString('utf8', start, end));
            return;
          }
          scan(bytes, start, end);
          if (ping && isPing(bytes, start, end)) opened.send(ping.pong);
          if (refusals.isIn(bytes, start, end))
            events.onRefused(bytes.toString('utf8', start, end));
        },
        onClose(code, reason) {
          if (isReady && !isLeaving) closes += 1;
          isReady = false;
          socket = null;
          ended.resolve();
          if (code === 4503) retryAfterMs ??= afterMsOf(reason);
          ready.reject(new Error(`${options.agentId} was closed (${code ?? 'no code'} ${reason})`));
          if (staysConnected && !isLeaving) reconnect();
        },
      },
    );
    socket = opened;
    return ready.promise;
  }

  function reconnect() {
    const longestMs = Math.min(longestRetryMs, firstRetryMs * 2 ** failures);
    const waitMs = retryAfterMs ?? (longestMs * (1 + Math.random())) / 2;
    failures += 1;
    retryAfterMs = null;
    // If this attempt fails too, onClose calls this function again.
    setTimeout(() => void connect().catch(() => undefined), waitMs);
  }

  const client: Client = {
    channelIds,
    get isReady() {
      return isReady;
    },
    get closes() {
      return closes;
    },
    get retryAfterMs() {
      return retryAfterMs;
    },
    connect,
    publish: (index, channelId, content) =>
      socket?.send(dialect.publication(index, channelId, content)),
    cut() {
      isLeaving = true;
      socket?.cut();
      return closed;
    },
    stayConnected: () => void (staysConnected = true),
    close() {
      staysConnected = false;
      isLeaving = true;
      socket?.cut();
      return closed;
    },
  };
  return client;
}

/** The hub's close reason says when to reconnect. */
function afterMsOf(reason: string): number | null {
  const found = /"afterMs":(\d+)/.exec(reason)?.[1];
  return found === undefined ? null : Number(found);
}
