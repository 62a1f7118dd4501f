import { WebSocketServer, type WebSocket } from 'ws';
import type { Envelope, EventType, MethodName, NotificationName } from '@openclaw/protocol';

export interface ScriptedCall {
  readonly id: number;
  readonly method: MethodName;
  readonly params: Record<string, never> & { [name: string]: unknown };
}

/** The test decides which frames the hub sends. */
export interface HubSide {
  readonly address: string;
  readonly offered: readonly string[];
  readonly calls: readonly ScriptedCall[];
  readonly frames: number;
  readonly closed: Promise<void>;
  nextCall(method: MethodName): Promise<ScriptedCall>;
  answer(call: ScriptedCall, result: unknown): void;
  refuse(call: ScriptedCall, error: object): void;
  notify(method: NotificationName, params: unknown): void;
  welcome(changes?: Record<string, unknown>): void;
  send(frame: unknown): void;
  sendText(text: string): void;
  close(code: number, reason?: string): void;
  /** Ends the connection without a close frame, as a crash does. */
  terminate(): void;
}

export interface ScriptedHub {
  readonly url: string;
  nextConnection(): Promise<HubSide>;
  readonly connectionCount: number;
  stop(): Promise<void>;
}

function createInbox<T>() {
  let items: T[] = [];
  let takers: { is: (item: T) => boolean; resolve: (item: T) => void }[] = [];
  return {
    add(item: T) {
      const taker = takers.find(({ is }) => is(item));
      if (taker === undefined) return items.push(item);
      takers = takers.filter((other) => other !== taker);
      taker.resolve(item);
    },
    async take(is: (item: T) => boolean = () => true): Promise<T> {
      const found = items.find(is);
      if (found === undefined) return new Promise((resolve) => takers.push({ is, resolve }));
      items = items.filter((other) => other !== found);
      return found;
    },
  };
}

export async function startScriptedHub(): Promise<ScriptedHub> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  const sides = createInbox<HubSide>();
  let connectionCount = 0;
  server.on('connection', (socket, request) => {
    connectionCount += 1;
    const offered = String(request.headers['sec-websocket-protocol'] ?? '').split(/, */);
    sides.add(createHubSide(socket, request.url ?? '', offered));
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as { port: number }).port}`,
    get connectionCount() {
      return connectionCount;
    },
    nextConnection: () => sides.take(),
    async stop() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function createHubSide(socket: WebSocket, address: string, offered: string[]): HubSide {
  const calls: ScriptedCall[] = [];
  const inbox = createInbox<ScriptedCall>();
  let frames = 0;
  socket.on('message', (data: Buffer) => {
    frames += 1;
    for (const call of [JSON.parse(data.toString()) as ScriptedCall | ScriptedCall[]].flat()) {
      calls.push(call);
      inbox.add(call);
    }
  });
  const send = (frame: unknown) => socket.send(JSON.stringify(frame));
  const notify = (method: string, params: unknown) => send({ jsonrpc: '2.0', method, params });
  return {
    address,
    offered,
    calls,
    get frames() {
      return frames;
    },
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
    nextCall: (method) => inbox.take((call) => call.method === method),
    answer: (call, result) => send({ jsonrpc: '2.0', id: call.id, result }),
    refuse: (call, error) => send({ jsonrpc: '2.0', id: call.id, error }),
    notify,
    welcome: (changes = {}) => notify('welcome', { ...exampleWelcome, ...changes }),
    send,
    sendText: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  };
}

export const exampleWelcome = {
  sessionId: 's1',
  agentId: 'ada',
  kind: 'agent' as const,
  protocol: 1 as const,
  epoch: 'e1',
  heartbeatMs: 25_000,
  limits: {
    frameBytes: 262_144,
    contentBytes: 32_768,
    batch: 100,
    topics: 1000,
    inFlight: 256,
    resumeEvents: 5000,
    historyPage: 200,
    edits: 200,
    streams: 8,
    resumeBytes: 8_388_608,
    logPage: 1000,
  },
  direct: [] as { channelId: string; head: number }[],
};

export function exampleEnvelope(
  channelId: string | null,
  seq: number | null,
  changes: { type?: EventType; epoch?: string; event?: object } = {},
): Envelope {
  const type = changes.type ?? (seq === null ? 'channel.typing' : 'channel.message');
  return {
    id: `${channelId}-${seq}-${changes.epoch ?? 'e1'}`,
    event: { type, channelId, ...changes.event },
    timestamp: 0,
    senderId: 'bob',
    senderKind: 'agent',
    channelId,
    seq,
    epoch: changes.epoch ?? 'e1',
  } as unknown as Envelope;
}

export function subscribedAt(call: ScriptedCall, head: number, events: readonly Envelope[] = []) {
  const topics = call.params['topics'] as unknown as { channelId: string; since: number | null }[];
  return {
    topics: topics.map(({ channelId, since }) => ({
      channelId,
      head,
      resumed: since !== null,
      events,
      presencePushed: true,
    })),
  };
}
