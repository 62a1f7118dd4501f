import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  startHub,
  startPostgres,
  startRedis,
  temporaryFolder,
  waitFor,
  type HubProcess,
  type RpcSocket,
} from '@openclaw/test-support';
import {
  connectSender,
  openLightSocket,
  openMany,
  sendAll,
  sendAlone,
  sendAtRate,
  type LightSocket,
} from './light-sockets.ts';
import { beyondIdle, during, startMeasuredHubs, unlimited } from './measured-hubs.ts';
import { postgresBytes, redisCounters, sqliteBytes } from './probes.ts';

export interface Effort {
  /**
   * The number of messages for each load, and for each content size whose storage is measured. The load `alone` sends
   * only a quarter of this number.
   */
  readonly messages: number;
  readonly sockets: number;
  readonly idleMs: number;
}

export const contentSizes = [100, 1_000, 4_000] as const;
export const fanOuts = [10, 50, 100] as const;
export const loadContentBytes = 200;
export const senderCount = 10;
export const loadPerSecond = 500;

/** PostgreSQL would compress repeated letters better than real text, so the letters are random. */
const textOf = (bytes: number) => randomBytes(bytes).toString('base64').slice(0, bytes);

async function createChannel(
  [owner, ...others]: readonly RpcSocket[],
  channelId: string,
): Promise<void> {
  await owner?.call('channel.create', { channelId, name: channelId });
  for (const other of others) await other.call('channel.join', { channelId });
}

function openSenders(hub: HubProcess, count = senderCount): Promise<RpcSocket[]> {
  return openMany(count, (index) => connectSender(hub, `sender-${index}`));
}

type BytesBySize = Readonly<Record<(typeof contentSizes)[number], number>>;

export interface StorageCosts {
  readonly sqliteBytes: BytesBySize;
  readonly postgresBytes: BytesBySize;
}

async function measureGrowth(
  hub: HubProcess,
  databaseBytes: () => number,
  { messages }: Effort,
): Promise<BytesBySize> {
  const senders = await openSenders(hub);
  const channelIds = Array.from({ length: 10 }, (_, index) => `growth-${index}`);
  for (const channelId of channelIds) await createChannel(senders, channelId);
  const bytes = { 100: 0, 1_000: 0, 4_000: 0 };
  for (const size of contentSizes) {
    const before = databaseBytes();
    await sendAll(senders, channelIds, { count: messages, content: textOf(size) });
    bytes[size] = (databaseBytes() - before) / messages;
  }
  await Promise.all(senders.map((sender) => sender.close()));
  return bytes;
}

export async function measureStorage(effort: Effort): Promise<StorageCosts> {
  await using folder = await temporaryFolder('costs');
  const path = join(folder.path, 'hub.sqlite');
  await using onSqlite = await startHub({ env: { ...unlimited, HUB_DB_URL: `sqlite:${path}` } });
  const sqlite = await measureGrowth(onSqlite, () => sqliteBytes(path), effort);
  await using postgres = await startPostgres();
  await using onPostgres = await startHub({ env: { ...unlimited, HUB_DB_URL: postgres.url } });
  return {
    sqliteBytes: sqlite,
    postgresBytes: await measureGrowth(onPostgres, () => postgresBytes(postgres), effort),
  };
}

const eventsOf = (sockets: readonly LightSocket[]) =>
  sockets.reduce((sum, { events }) => sum + events, 0);
const framesOf = (sockets: readonly LightSocket[]) =>
  sockets.reduce((sum, { frames }) => sum + frames, 0);

/** Messages that share a turn of the event loop cost less, so loads spread them differently over time. */
export const loads = ['alone', 'even', 'full'] as const;
type Load = (typeof loads)[number];

export interface LoadCosts {
  readonly load: Load;
  readonly fanOut: number;
  /** Frames per message and subscriber: 1 when every message is delivered alone. */
  readonly turns: number;
  readonly perSecond: number;
  readonly sending: number;
  readonly receiving: number;
  readonly redis: number;
  readonly redisCommands: number;
  readonly redisOutputBytes: number;
}

export async function measureMessages(
  { messages, idleMs }: Effort,
  env: Readonly<Record<string, string>> = {},
): Promise<LoadCosts[]> {
  await using folder = await temporaryFolder('costs');
  await using redis = await startRedis();
  await using measured = await startMeasuredHubs(redis, folder.path, env);
  const [sendingHub, receivingHub] = measured.hubs;
  const senders = await openSenders(sendingHub);
  const [sender] = senders as [RpcSocket];
  const content = textOf(loadContentBytes);
  const send: Record<Load, (channelId: string, count: number) => Promise<void>> = {
    alone: (channelId, count) => sendAlone(sender, channelId, { count, content, pauseMs: 5 }),
    even: (channelId, count) =>
      sendAtRate(senders, channelId, { count, content, perSecond: loadPerSecond }),
    full: (channelId, count) => sendAll(senders, [channelId], { count, content }),
  };
  const results: LoadCosts[] = [];
  for (const fanOut of fanOuts) {
    const channelId = `fan-out-${fanOut}`;
    await createChannel(senders, channelId);
    const subscribers = await openMany(fanOut, async (index) => {
      const agentId = `subscriber-${fanOut}-${index}`;
      await sender.call('member.add', { channelId, agentId });
      return openLightSocket(receivingHub, agentId, [channelId]);
    });
    const sendAndDeliver = async (load: Load, count: number) => {
      const from = eventsOf(subscribers);
      await send[load](channelId, count);
      await waitFor(() => eventsOf(subscribers) - from >= count * fanOut, {
        what: 'the deliveries',
        timeoutMs: 60_000,
      });
    };
    // The first messages are slower, because their code is not yet compiled.
    await sendAndDeliver('full', messages);
    const idle = await during(redis, measured.inspectors, () => delay(idleMs));
    for (const load of loads) {
      const count = load === 'alone' ? Math.ceil(messages / 4) : messages;
      const frames = framesOf(subscribers);
      const use = beyondIdle(
        await during(redis, measured.inspectors, () => sendAndDeliver(load, count)),
        idle,
      );
      results.push({
        load,
        fanOut,
        turns: (framesOf(subscribers) - frames) / fanOut / count,
        perSecond: count / use.seconds,
        sending: (1_000 * use.sendingMs) / count,
        receiving: (1_000 * use.receivingMs) / count,
        redis: (1_000 * use.redis.cpuMs) / count,
        redisCommands: use.redis.commands / count,
        redisOutputBytes: use.redis.outputBytes / count,
      });
    }
    await Promise.all(subscribers.map((subscriber) => subscriber.close()));
  }
  await Promise.all(senders.map((one) => one.close()));
  return results;
}

/**
 * Measures the processor time that a receiving hub spends on a message that another hub committed, when no client of
 * the receiving hub follows the channel. The receiving hub finds the message when it checks for the newest commits.
 * The cost is highest when every message is in a different channel.
 */
export async function measureForeignCommits({ messages, idleMs }: Effort): Promise<number> {
  await using folder = await temporaryFolder('costs');
  await using redis = await startRedis();
  await using measured = await startMeasuredHubs(redis, folder.path);
  // All senders are sockets of one agent, because separate agents would have to join every channel.
  const senders = await openMany(senderCount, () => connectSender(measured.hubs[0], 'sender'));
  // A check finds each changed channel once, so two messages between two checks must be in different channels.
  const channelIds = Array.from({ length: 2 * messages }, (_, index) => `foreign-${index}`);
  await openMany(channelIds.length, (index) =>
    createChannel(senders.slice(0, 1), `foreign-${index}`),
  );
  const send = () =>
    sendAll(senders, channelIds, { count: 4 * messages, content: textOf(loadContentBytes) });
  await send();
  const idle = await during(redis, measured.inspectors, () => delay(idleMs));
  const use = beyondIdle(await during(redis, measured.inspectors, send), idle);
  await Promise.all(senders.map((sender) => sender.close()));
  return (1_000 * use.receivingMs) / (4 * messages);
}

export interface SocketCosts {
  readonly heapBytes: number;
  readonly leaseBytes: number;
  readonly microsPerSecond: number;
  readonly leaseCommandsPerSecond: number;
  readonly leaseMicrosPerSecond: number;
}

/** Each connected, silent agent is present in one channel. */
export async function measureSockets({ sockets, idleMs }: Effort): Promise<SocketCosts> {
  await using folder = await temporaryFolder('costs');
  await using redis = await startRedis();
  await using measured = await startMeasuredHubs(redis, folder.path);
  const [creating, holding] = measured.hubs;
  const [, inspector] = measured.inspectors;
  const [owner] = (await openSenders(creating, 1)) as [RpcSocket];
  const perChannel = 20;
  const open = async (count: number, name: string) => {
    const channels = Math.ceil(count / perChannel);
    for (let index = 0; index < channels; index += 1)
      await createChannel([owner], `${name}-${index}`);
    return openMany(count, async (index) => {
      const [agentId, channelId] = [`${name}-agent-${index}`, `${name}-${index % channels}`];
      await owner.call('member.add', { channelId, agentId });
      return openLightSocket(holding, agentId, [channelId]);
    });
  };
  // The first sockets fill pools and caches, whose memory is no cost per socket.
  const first = await open(100, 'first');
  await delay(idleMs);
  const retainedFrom = await inspector.retainedBytes();
  const redisFrom = await redisCounters(redis);
  const idleBefore = await during(redis, measured.inspectors, () => delay(2 * idleMs));
  const opened = await open(sockets, 'more');
  await delay(idleMs);
  const heapBytes = ((await inspector.retainedBytes()) - retainedFrom) / sockets;
  const leaseBytes = ((await redisCounters(redis)).usedBytes - redisFrom.usedBytes) / sockets;
  const idle = beyondIdle(
    await during(redis, measured.inspectors, () => delay(2 * idleMs)),
    idleBefore,
  );
  const socketSeconds = sockets * idle.seconds;
  await Promise.all([...first, ...opened].map((socket) => socket.close()));
  await owner.close();
  return {
    heapBytes,
    leaseBytes,
    microsPerSecond: (1_000 * idle.receivingMs) / socketSeconds,
    leaseCommandsPerSecond: idle.redis.commands / socketSeconds,
    leaseMicrosPerSecond: (1_000 * idle.redis.cpuMs) / socketSeconds,
  };
}
