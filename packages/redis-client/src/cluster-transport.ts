import keySlot from 'cluster-key-slot';
import { Cluster, type Redis } from 'ioredis';
import { profile, retryDelayMs } from './ioredis-options.ts';
import { createNodeDiagnosis } from './node-diagnosis.ts';
import type { ClientSettings, ResolvedConnection } from './options.ts';
import {
  type CallBound,
  destroySocket,
  dropIfSilent,
  limitHandshake,
  skipUnknownInfo,
  toWire,
  untilEnded,
} from './server-connection.ts';
import type { CommandTransport, ConnectionEvents, RedisCommand, RedisReply } from './transport.ts';

/** The slots are also read when a server is lost or hands over a slot. */
const refreshEveryMs = 1000;

function keyOf([name, ...args]: RedisCommand): string | null {
  const isScript = /^eval(sha)?$/i.test(name);
  const key = isScript ? (Number(args[1]) > 0 ? args[2] : undefined) : args[0];
  return key === undefined ? null : String(key);
}

function addressOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}

export type Topology = ReturnType<typeof openClusterTransport>['topology'];

/** Does not wait for the connections. */
export function connectCluster(connection: ResolvedConnection, settings: ClientSettings): Cluster {
  const {
    retryStrategy: _retry,
    enableOfflineQueue: _queue,
    ...redisOptions
  } = profile(connection, settings);
  return new Cluster(
    connection.cluster.map((node) => ({ ...node })),
    {
      redisOptions,
      enableOfflineQueue: false,
      enableReadyCheck: true,
      slotsRefreshTimeout: settings.connectTimeoutMs,
      // A certificate names the host, not the address that ioredis would look up.
      dnsLookup: (host, done) => done(null, host),
      ...(connection.natMap && {
        natMap: Object.fromEntries(
          Object.entries(connection.natMap).map(([announced, node]) => [announced, { ...node }]),
        ),
      }),
      clusterRetryStrategy: (times) => retryDelayMs(times, settings),
      // A call to a server that is down fails at once, because the caller decides about a repeat.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      maxRedirections: 5,
    },
  );
}

/**
 * Uses one connection to each master, and is ready when the masters of all slots are connected. `bound` limits the
 * calls of a borrowed client; null for our own.
 */
export function openClusterTransport(
  cluster: Cluster,
  settings: ClientSettings,
  events: ConnectionEvents,
  bound: CallBound | null,
) {
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
  // Connects in advance. Otherwise ioredis connects with the first command for a node, and queues that command.
  const connectAll = () => {
    if (cluster.status !== 'ready') return;
    for (const node of cluster.nodes('master')) {
      if (node.status === 'wait') node.connect().catch(() => undefined);
    }
  };

  // ioredis forgets a lost node until the slots are read again. The refresh waits, because the cluster still lists a
  // dead node for a while.
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

  // Replaces ioredis' slotsRefreshInterval, whose timer can start again after the close.
  const refreshInterval = setInterval(
    () => {
      if (cluster.status === 'ready') cluster.refreshSlotsCache();
    },
    Math.max(refreshEveryMs, settings.heartbeatMs),
  );

  const onChange = () => {
    connectAll();
    check();
  };
  /** A node did not know INFO, so later connections are opened without it. */
  let hasNoInfo = false;
  const unwatch = new Map<Redis, () => void>();
  const watchNode = (node: Redis) => {
    if (hasNoInfo) node.options.enableReadyCheck = false;
    node.on('ready', check);
    node.on('close', check);
    const endLimit = bound ? limitHandshake(node, bound.timeoutMs) : () => undefined;
    const forget = () => void unwatch.delete(node);
    unwatch.set(node, () => {
      endLimit();
      node.off('ready', check).off('close', check).off('end', forget);
    });
    node.once('end', forget);
  };
  const diagnose = createNodeDiagnosis(settings.connectTimeoutMs, (error) => {
    if (!isClosed) events.onError(error);
  });
  const onNodeError = (error: Error, address: string) => {
    const node = cluster.nodes('all').find((candidate) => addressOf(candidate) === address);
    if (!bound && node && skipUnknownInfo(node, error)) hasNoInfo = true;
    diagnose(address, error, node);
  };
  const onError = (error: Error) => {
    // An error with `lastNodeError` is a summary. The node's own error was reported before it.
    if (!('lastNodeError' in error)) events.onError(error);
  };
  const onNode = (node: Redis) => {
    watchNode(node);
    connectAll();
  };
  const topologyListeners: (() => void)[] = [];
  const onRefresh = () => {
    onChange();
    for (const listener of topologyListeners) listener();
  };
  const listeners: readonly (readonly [string, (value: Redis & Error, address: string) => void])[] =
    [
      ['error', onError],
      ['node error', onNodeError],
      ['+node', onNode],
      ['-node', refreshSoon],
      ['-node', onChange],
      ['ready', onChange],
      ['close', onChange],
      ['refresh', onRefresh],
    ];
  for (const [name, listener] of listeners) cluster.on(name, listener);
  if (bound) {
    cluster.nodes('all').forEach(watchNode);
    queueMicrotask(onRefresh);
  }

  const run = <T>(work: () => Promise<T>) =>
    bound ? bound.run(cluster.status === 'ready', work) : work();
  const call = (command: RedisCommand): Promise<RedisReply> =>
    run(() => cluster.call(...toWire(command)));
  const transport: CommandTransport = {
    get ready() {
      return up && isReady();
    },
    get reconnects() {
      return Math.max(0, established - 1);
    },
    call,
    /** One pipeline per slot, all written in the same turn. A pipeline for a moved slot is redirected as a whole. */
    async batch(commands) {
      const groups = Map.groupBy(commands.keys(), (place) => {
        const key = keyOf(commands[place] as RedisCommand);
        return key === null ? -1 : keySlot(key);
      });
      const replies: RedisReply[] = Array(commands.length).fill(null);
      await Promise.all(
        [...groups.values()].map(async (places) => {
          const pipeline = cluster.pipeline();
          for (const place of places) pipeline.call(...toWire(commands[place] as RedisCommand));
          const results = await run(() => pipeline.exec()).catch((error: unknown) => error);
          places.forEach((place, index) => {
            const result: unknown = Array.isArray(results) ? results[index] : [results, null];
            const [error, reply] = result as [Error | null, RedisReply];
            replies[place] = error ?? reply;
          });
        }),
      );
      return replies;
    },
    callEach: (command) =>
      run(() => Promise.all(cluster.nodes('master').map((node) => node.call(...toWire(command))))),
    drop: () => cluster.nodes('all').forEach(dropIfSilent),
    async close() {
      isClosed = true;
      clearTimeout(refreshTimer);
      clearInterval(refreshInterval);
      const nodes = cluster.nodes('all');
      if (bound) {
        for (const [name, listener] of listeners) cluster.off(name, listener);
        for (const end of unwatch.values()) end();
        return bound.close();
      }
      cluster.disconnect();
      for (const node of nodes) destroySocket(node);
      // ioredis reports the end together with the end of its last node. Without a node, the wait would never end.
      if (nodes.length > 0) await untilEnded(cluster);
    },
  };
  const topology = {
    owners,
    ownerOf: (slot: number): string | undefined => cluster.slots[slot]?.[0],
    refresh: refreshSoon,
    /** `listener` is called each time the slots were read, even if they did not change. */
    onRefresh: (listener: () => void) => void topologyListeners.push(listener),
  };
  return { transport, topology };
}
