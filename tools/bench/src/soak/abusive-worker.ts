import { parentPort, workerData } from 'node:worker_threads';
import { WebSocket } from 'ws';
import type { Abuse, AbuseCounts, AbuseTask } from './abusive-agents.ts';

// This load runs in a worker thread, so that it does not delay the measured clients.

const { behaviour, url, channelIds } = workerData as AbuseTask;
const socketCount = 5;
const tickMs = 10;
const callsPerMs = 4;
/** If this thread was delayed, one tick catches up with at most this many calls. */
const callsPerTickMax = 2_000;
const unansweredMax = 20;
const reconnectMs = 200;
const junk = ['{"jsonrpc":"2.0","id":1,"method":', '{"id":1}', '[]', '"ping"'];

const counts = { calls: 0, answers: 0, closes: {} as Record<string, number> };
let lastId = 0;

function callText(method: string, params: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id: (lastId += 1), method, params });
}

function pick<T>(items: readonly T[]): T {
  return items[Math.floor(Math.random() * items.length)] as T;
}

/** Returns `count` frames, which hold valid and malformed calls. */
function floodFrames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    if (index % 10 === 0) return pick(junk);
    if (index % 7 === 0) return callText('message.send', { channelId: 7 });
    return callText('ping', {});
  });
}

function readFrame(): string {
  const channelId = pick(channelIds);
  return pick([
    callText('read.state', {}),
    callText('message.history', { channelId, limit: 200 }),
    callText('log.read', { channelId, after: 0, limit: 1000 }),
    callText('thread.list', { channelId, limit: 200 }),
    callText('channel.list', { limit: 200 }),
  ]);
}

/** Sends the calls that are due after `elapsedMs`, and returns their number. */
type Act = (socket: WebSocket, unanswered: number, elapsedMs: number) => number;

const behaviours: Record<Abuse, Act> = {
  flood(socket, _unanswered, elapsedMs) {
    // The socket must not buffer without limit while the hub does not read.
    if (socket.bufferedAmount > 1_000_000) return 0;
    const frames = floodFrames(Math.min(callsPerTickMax, Math.round(elapsedMs * callsPerMs)));
    for (const frame of frames) socket.send(frame);
    return frames.length;
  },
  'read-storm'(socket, unanswered) {
    const count = Math.max(0, unansweredMax - unanswered);
    for (let i = 0; i < count; i += 1) socket.send(readFrame());
    return count;
  },
};

function connect(): void {
  const socket = new WebSocket(url, ['openclaw.v1'], { perMessageDeflate: false });
  let unanswered = 0;
  let timer: NodeJS.Timeout | undefined;
  socket.on('open', () => {
    if (behaviour === 'read-storm')
      for (const channelId of channelIds) socket.send(callText('channel.join', { channelId }));
    let lastMs = performance.now();
    timer = setInterval(() => {
      if (socket.readyState !== socket.OPEN) return;
      const nowMs = performance.now();
      const sent = behaviours[behaviour](socket, unanswered, nowMs - lastMs);
      lastMs = nowMs;
      unanswered += sent;
      counts.calls += sent;
    }, tickMs);
  });
  socket.on('message', () => {
    unanswered = Math.max(0, unanswered - 1);
    counts.answers += 1;
  });
  socket.on('error', () => undefined);
  socket.on('close', (code) => {
    clearInterval(timer);
    counts.closes[code] = (counts.closes[code] ?? 0) + 1;
    setTimeout(connect, reconnectMs);
  });
}

for (let i = 0; i < socketCount; i += 1) connect();
parentPort?.on('message', () => parentPort?.postMessage(counts satisfies AbuseCounts));
