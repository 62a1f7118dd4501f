import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connectRpc, type HubProcess, type RpcSocket } from '@openclaw/test-support';
import { WebSocket } from 'ws';

const eventMark = Buffer.from('"method":"event"');

/** A socket that counts events without parsing them, so that this process is not the bottleneck. */
export interface LightSocket {
  readonly events: number;
  /** A frame holds all events that a hub writes to the socket in one turn. */
  readonly frames: number;
  close(): Promise<void>;
}

export async function openLightSocket(
  hub: HubProcess,
  agentId: string,
  channelIds: readonly string[],
): Promise<LightSocket> {
  const ws = new WebSocket(`${hub.url}/v1/ws?agent=${agentId}`, ['openclaw.v1'], {
    perMessageDeflate: false,
  });
  let events = 0;
  let frames = 0;
  const subscribed = Promise.withResolvers<void>();
  ws.on('error', subscribed.reject);
  ws.on('close', () => subscribed.reject(new Error(`${agentId} was closed`)));
  ws.on('message', (data) => {
    const bytes = data as Buffer;
    if (bytes.includes('"method":"welcome"')) {
      const topics = channelIds.map((channelId) => ({ channelId }));
      if (topics.length === 0) subscribed.resolve();
      else
        ws.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: { topics } }));
      return;
    }
    if (bytes.includes('"error":')) subscribed.reject(new Error(bytes.toString()));
    if (bytes.includes('"id":1,"result"')) subscribed.resolve();
    const before = events;
    for (let at = bytes.indexOf(eventMark); at >= 0; at = bytes.indexOf(eventMark, at + 1))
      events += 1;
    if (events > before) frames += 1;
  });
  await subscribed.promise;
  return {
    get events() {
      return events;
    },
    get frames() {
      return frames;
    },
    close: () =>
      new Promise((resolve) => {
        ws.removeAllListeners('close');
        ws.once('close', () => resolve());
        ws.close();
      }),
  };
}

/** Connects in small groups, because a hub admits 400 connections a second. */
export async function openMany<T>(
  count: number,
  open: (index: number) => Promise<T>,
): Promise<T[]> {
  const opened: T[] = [];
  const inGroup = 20;
  for (let from = 0; from < count; from += inGroup) {
    const group = Array.from({ length: Math.min(inGroup, count - from) }, (_, at) => from + at);
    opened.push(...(await Promise.all(group.map(open))));
  }
  return opened;
}

export function connectSender(hub: HubProcess, agentId: string): Promise<RpcSocket> {
  return connectRpc(`${hub.url}/v1/ws?agent=${agentId}`);
}

export async function sendAll(
  senders: readonly RpcSocket[],
  channelIds: readonly string[],
  { count, content, window = 10 }: { count: number; content: string; window?: number },
): Promise<void> {
  let next = 0;
  const work = async (sender: RpcSocket) => {
    while (next < count) {
      const channelId = channelIds[next % channelIds.length];
      next += 1;
      await sender.call('message.send', messageOf(channelId, content));
    }
  };
  await Promise.all(
    senders.flatMap((sender) => Array.from({ length: window }, () => work(sender))),
  );
}

/** Waits for each answer and then for a pause, so that each message has its own turn of the event loop. */
export async function sendAlone(
  sender: RpcSocket,
  channelId: string,
  { count, content, pauseMs }: { count: number; content: string; pauseMs: number },
): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) {
    await sender.call('message.send', messageOf(channelId, content));
    await delay(pauseMs);
  }
}

export async function sendAtRate(
  senders: readonly RpcSocket[],
  channelId: string,
  { count, content, perSecond }: { count: number; content: string; perSecond: number },
): Promise<void> {
  const startMs = performance.now();
  const answers: Promise<unknown>[] = [];
  while (answers.length < count) {
    const due = Math.min(count, Math.ceil(((performance.now() - startMs) * perSecond) / 1_000));
    while (answers.length < due) {
      const sender = senders[answers.length % senders.length];
      if (sender) answers.push(sender.call('message.send', messageOf(channelId, content)));
    }
    await delay(1);
  }
  await Promise.all(answers);
}

function messageOf(channelId: string | undefined, content: string): object {
  return { channelId, content, clientMessageId: randomUUID() };
}
