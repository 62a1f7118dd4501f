import { Cluster, type Redis } from 'ioredis';
import { type RedisCommand, type RedisReply, toWire } from './command.ts';
import type { ResolvedConnection } from './connection-options.ts';
import { destroySocket, dropIfSilent, untilEnded } from './sockets.ts';
import { profile, retryDelayMs } from './ioredis-options.ts';
import { keySlot } from './key-slot.ts';
import type { ClientSettings } from './options.ts';
import type { Topology } from './topology.ts';
import type { CommandTransport, LinkEvents } from './transport.ts';

/** How often the cluster is asked who holds which slot, beside each time that a server is lost or says it is not the one. */
const refreshEveryMs = 1000;

/** The key of a command as this package takes commands: the first argument, or the first key of a script. */
function keyOf([name, ...args]: RedisCommand): string | null {
  const isScript = /^eval(sha)?$/i.test(name);
  const key = isScript ? (Number(args[1]) > 0 ? args[2] : undefined) : args[0];
  return key === undefined ? null : String(key);
}

function addressOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}

/**
 * The commands' side of a Cluster: a connection to each master. Ready while every slot's master is connected, because
 * what calls one channel will soon call another.
 */
export function openCluster(
  connection: ResolvedConnection,
  settings: ClientSettings,
  events: LinkEvents,
): { readonly transport: CommandTransport; readonly topology: Topology } {
  const {
    retryStrategy: _retry,
    enableOfflineQueue: _queue,
    ...redisOptions
  } = profile(connection, settings);
  const cluster = new Cluster(
    connection.cluster.map((node) => ({ ...node })),
    {
      redisOptions,
      enableOfflineQueue: false,
      enableReadyCheck: true,
      slotsRefreshTimeout: settings.connectTimeoutMs,
      clusterRetryStrategy: (times) => retryDelayMs(times, settings),
      // A call that met a dead or undecided server fails now instead of being tried again behind its caller's back.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      maxRedirections: 5,
    },
  );
  let established = 0;
  let up = false;
  let isClosed = false;
  let refreshTimer: NodeJS.Timeout | undefined;
  let refreshes = 0;

  const readyMasters = () => cluster.nodes('master').filter(({ status }) => status === 'ready');
  const owners = () => new Set(cluster.slots.flatMap((keys) => keys[0] ?? []));
  const isReady = () => {
    if (cluster.status !== 'ready') return false;
    const ready = new Set(readyMasters().map(addressOf));
    const wanted = owners();
    return wanted.size > 0 && [...wanted].every((address) => ready.has(address));
  };
  const check = () => {
    if (isReady() === up) return;
    up = !up;
    if (up) {
      refreshes = 0;
      established += 1;
      events.onReady();
    } else {
      events.onDown();
    }
  };
  // ioredis connects to a node with the first command for it, which then would wait in that node's own queue.
  const connectAll = () => {
    if (cluster.status !== 'ready') return;
    for (const node of cluster.nodes('master')) {
      if (node.status === 'wait') node.connect().catch(() => undefined);
    }
  };

  // A lost node is out of ioredis' pool until the slots are read again; a dead one is lost again at once.
  const refreshSoon = () => {
    if (isClosed) return;
    refreshTimer ??= setTimeout(
      () => {
        refreshTimer = undefined;
        if (cluster.status === 'ready') cluster.refreshSlotsCache();
      },
      retryDelayMs((refreshes += 1), settings),
    );
  };

  // Not by slotsRefreshInterval, which sets its timer again when a refresh ends after the close.
  const refreshInterval = setInterval(() => {
    if (cluster.status === 'ready') cluster.refreshSlotsCache();
  }, refreshEveryMs);

  cluster.on('error', (error: Error) => events.onError(error));
  cluster.on('node error', (error: Error) => events.onError(error));
  cluster.on('+node', (node: Redis) => {
    node.on('ready', check);
    node.on('close', check);
    connectAll();
  });
  cluster.on('-node', refreshSoon);
  for (const event of ['ready', 'close', '-node', 'refresh']) {
    cluster.on(event, () => {
      connectAll();
      check();
    });
  }

  const call = (command: RedisCommand): Promise<RedisReply> => cluster.call(...toWire(command));
  const transport: CommandTransport = {
    get ready() {
      return up && isReady();
    },
    get reconnects() {
      return Math.max(0, established - 1);
    },
    call,
    /** One pipeline per slot: all are written in the same turn, and one whose slot moved is redirected as a whole. */
    async batch(commands) {
      const groups = new Map<number, number[]>();
      commands.forEach((command, place) => {
        const key = keyOf(command);
        const slot = key === null ? -1 : keySlot(key);
        groups.set(slot, [...(groups.get(slot) ?? []), place]);
      });
      const replies: RedisReply[] = Array(commands.length).fill(null);
      await Promise.all(
        [...groups.values()].map(async (places) => {
          const pipeline = cluster.pipeline();
          for (const place of places) pipeline.call(...toWire(commands[place] as RedisCommand));
          const results = await pipeline.exec().catch((error: unknown) => error);
          places.forEach((place, index) => {
            if (!Array.isArray(results)) replies[place] = results;
            else {
              const [error, reply] = results[index] as [Error | null, RedisReply];
              replies[place] = error ?? reply;
            }
          });
        }),
      );
      return replies;
    },
    callEach: (command) =>
      Promise.all(cluster.nodes('master').map((node) => node.call(...toWire(command)))),
    drop: () => cluster.nodes('all').forEach(dropIfSilent),
    async close() {
      isClosed = true;
      clearTimeout(refreshTimer);
      clearInterval(refreshInterval);
      const nodes = cluster.nodes('all');
      cluster.disconnect();
      for (const node of nodes) destroySocket(node);
      // Without a node ioredis ends when the last has left, which is never.
      if (nodes.length > 0) await untilEnded(cluster);
    },
  };
  const topology: Topology = {
    owners,
    ownerOf: (slot) => cluster.slots[slot]?.[0],
    refresh: refreshSoon,
    onRefresh: (listener) => void cluster.on('refresh', listener),
  };
  return { transport, topology };
}
