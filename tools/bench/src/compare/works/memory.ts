import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '@openclaw/test-support';
import { machineBusyMs, memoryOf, processorMs } from '../processor-time.ts';
import { startFleet } from '../fleet/fleet-proxy.ts';
import { drainMs } from './load.ts';
import { busyMachineNotes, membersOf, withFleet } from './run-fleet.ts';
import type { Work } from './work.ts';

const mebibyte = 1_048_576;
const kibibyte = 1_024;
const quietPerSecond = 100;

export const startWork: Work = {
  name: 'start',
  description:
    'from the start of the process until it answers (its Redis is there already), and its resident memory then',
  columns: [
    { key: 'startMs', title: 'start ms', digits: 0 },
    { key: 'idleMebibytes', title: 'idle MiB', digits: 0 },
  ],
  comparedBy: 'startMs',
  async run(system, { settleMs, signal }) {
    await using redis = await startRedis();
    await using running = await system.start(redis);
    await delay(settleMs, undefined, { signal });
    const idleMebibytes = memoryOf(running.pids.server).residentBytes / mebibyte;
    return { values: { startMs: running.startMs, idleMebibytes }, notes: [] };
  },
};

export const memoryWork: Work = {
  name: 'memory',
  description: `111 agents in 20 channels: resident memory when all are connected, and after ${quietPerSecond} messages/s`,
  columns: [
    { key: 'connectedMebibytes', title: 'connected MiB', digits: 0 },
    { key: 'afterTrafficMebibytes', title: 'after traffic MiB', digits: 0 },
    { key: 'peakMebibytes', title: 'peak MiB', digits: 0 },
  ],
  comparedBy: 'afterTrafficMebibytes',
  run: (system, { settleMs, warmUpMs, durationMs, contentBytes, signal }) =>
    withFleet(
      system,
      membersOf(111, 20),
      { readsFrames: false, signal },
      async (fleet, { pids }) => {
        await delay(settleMs, undefined, { signal });
        const connected = memoryOf(pids.server);
        const perSecond = quietPerSecond;
        const measured = { servers: [pids.server], redis: pids.redis };
        await fleet.runLoad({
          perSecond,
          warmUpMs,
          durationMs,
          contentBytes,
          drainMs,
          pids: measured,
        });
        await delay(settleMs, undefined, { signal });
        const after = memoryOf(pids.server);
        return {
          values: {
            connectedMebibytes: connected.residentBytes / mebibyte,
            afterTrafficMebibytes: after.residentBytes / mebibyte,
            peakMebibytes: after.peakBytes / mebibyte,
          },
          notes: [],
        };
      },
    ),
};

export function socketsWork(sockets: number): Work {
  return {
    name: 'sockets',
    description: `${sockets.toLocaleString('en')} silent sockets, 20 to a channel: resident memory of each, beyond that of the first 200, and the processor time of all`,
    columns: [
      { key: 'socketKibibytes', title: 'KiB a socket', digits: 1 },
      { key: 'serverCores', title: 'server’s cores', digits: 3 },
      { key: 'redisCores', title: 'Redis’ cores', digits: 3 },
    ],
    comparedBy: 'socketKibibytes',
    async run(system, { settleMs, signal }) {
      const first = 200;
      const members = membersOf(first + sockets, (first + sockets) / 20);
      await using redis = await startRedis();
      await using running = await system.start(redis);
      const { pids } = running;
      await system.prepare(running, members);
      const { dialect } = system;
      const open = async (part: typeof members) => {
        const setup = { dialect, ports: [running.port], members: part, readsFrames: false };
        const fleet = await startFleet(setup, signal);
        await fleet.connect();
        return fleet;
      };
      // The first sockets fill pools and caches, so they are not counted.
      await using _first = await open(members.slice(0, first));
      await delay(settleMs, undefined, { signal });
      const before = memoryOf(pids.server).residentBytes;
      await using _others = await open(members.slice(first));
      await delay(settleMs, undefined, { signal });
      const after = memoryOf(pids.server).residentBytes;
      const read = () => ({
        atMs: performance.now(),
        serverMs: processorMs(pids.server),
        redisMs: processorMs(pids.redis),
        busyMs: machineBusyMs(),
      });
      const from = read();
      await delay(2 * settleMs, undefined, { signal });
      const to = read();
      const elapsedMs = to.atMs - from.atMs;
      const serverMs = to.serverMs - from.serverMs;
      const redisMs = to.redisMs - from.redisMs;
      return {
        values: {
          socketKibibytes: (after - before) / sockets / kibibyte,
          serverCores: serverMs / elapsedMs,
          redisCores: redisMs / elapsedMs,
        },
        notes: busyMachineNotes((to.busyMs - from.busyMs - serverMs - redisMs) / elapsedMs),
      };
    },
  };
}
