import { setTimeout as delay } from 'node:timers/promises';
import { connectRpc, startRedis } from '@openclaw/test-support';
import { startFleet } from '../compare/fleet/fleet-proxy.ts';
import { machineBusyMs, memoryOf, processorMs } from '../compare/processor-time.ts';
import { busyMachineNotes, membersOf } from '../compare/works/run-fleet.ts';
import type { Effort, Measured } from '../compare/works/work.ts';
import { mebibyte } from './sends.ts';
import { ownHub, type Series } from './series.ts';
import { medianMs } from './timed.ts';

async function measureSilence(
  sockets: number,
  channels: number,
  { settleMs, signal }: Effort,
): Promise<Measured> {
  const members = membersOf(sockets, channels);
  const system = ownHub();
  await using redis = await startRedis();
  await using hub = await system.start(redis);
  await system.prepare(hub, members);
  const { pids } = hub;
  const read = () => ({
    atMs: performance.now(),
    hubMs: processorMs(pids.server),
    redisMs: processorMs(pids.redis),
    busyMs: machineBusyMs(),
  });
  const before = read();
  const setup = { dialect: system.dialect, ports: [hub.port], members, readsFrames: false };
  await using fleet = await startFleet(setup, signal);
  await fleet.connect();
  const connected = read();
  await delay(settleMs, undefined, { signal });
  const from = read();
  await delay(2 * settleMs, undefined, { signal });
  const to = read();
  const elapsedMs = to.atMs - from.atMs;
  const hubMs = to.hubMs - from.hubMs;
  const redisMs = to.redisMs - from.redisMs;
  await using member = await connectRpc(`ws://127.0.0.1:${hub.port}/v1/ws?agent=agent-0`);
  const channelId = members[0]?.channelIds[0];
  return {
    values: {
      connectMs: (connected.hubMs - before.hubMs) / sockets,
      residentMebibytes: memoryOf(pids.server).residentBytes / mebibyte,
      hubCores: hubMs / elapsedMs,
      redisCores: redisMs / elapsedMs,
      presencePageMs: await medianMs(20, () => member.call('presence.list', { channelId })),
    },
    notes: busyMachineNotes((to.busyMs - from.busyMs - hubMs - redisMs) / elapsedMs),
  };
}

const columns = [
  { key: 'connectMs', title: 'hub ms a connect', digits: 2 },
  { key: 'residentMebibytes', title: 'hub MiB', digits: 0 },
  { key: 'hubCores', title: 'hub’s cores', digits: 3 },
  { key: 'redisCores', title: 'Redis’ cores', digits: 3 },
  { key: 'presencePageMs', title: 'page of presence ms', digits: 2 },
];
const fitted = ['connectMs', 'residentMebibytes', 'hubCores', 'presencePageMs'];

export const socketGrowth: Series = {
  name: 'growth: sockets',
  description: 'silent agents, 20 to a channel',
  unit: 'sockets',
  sizes: [100, 1_000, 10_000],
  columns,
  fitted,
  run: (sockets, effort) => measureSilence(sockets, sockets / 20, effort),
};

export const presenceGrowth: Series = {
  name: 'growth: presence',
  description: 'silent agents, all in one channel',
  unit: 'present',
  sizes: [111, 1_000, 10_000],
  columns,
  fitted,
  run: (sockets, effort) => measureSilence(sockets, 1, effort),
};
