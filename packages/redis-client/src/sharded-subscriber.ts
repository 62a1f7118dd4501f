import keySlot from 'cluster-key-slot';
import type { Topology } from './cluster-transport.ts';
import type { IoredisOptions } from './ioredis-options.ts';
import {
  destroySocket,
  dropIfSilent,
  openServerConnection,
  type ServerConnection,
} from './server-connection.ts';
import type { ConnectionEvents, OnMessage, SubscriberTransport } from './transport.ts';

const movedPauseMs = 100;

/**
 * Sharded pub/sub: one connection to each master, with SSUBSCRIBE at the master of the topic's slot. After a slot
 * moved, all topics are subscribed again, which is harmless for topics of other slots.
 */
export function openShardedSubscriber(
  topology: Topology,
  options: IoredisOptions,
  events: ConnectionEvents,
  onMessage: OnMessage,
): SubscriberTransport {
  const connections = new Map<string, ServerConnection>();
  let owners = '';
  let lost = 0;
  let up = false;
  let isClosed = false;
  let movedTimer: NodeJS.Timeout | undefined;

  const isReady = () =>
    !isClosed &&
    connections.size > 0 &&
    [...connections.values()].every((connection) => connection.ready);

  function goDown() {
    if (!up) return;
    up = false;
    lost += 1;
    events.onDown();
  }
  function check() {
    if (up || !isReady()) return;
    up = true;
    events.onReady();
  }

  /**
   * Called when a server has given a slot away and ended the subscriptions of that slot, or has refused a topic of
   * another server's slot.
   */
  function onMoved() {
    // For a moment the servers disagree about the owner of the slot, so subscribing at once would fail.
    movedTimer ??= setTimeout(() => {
      movedTimer = undefined;
      // The topics are subscribed again even if the slot is back on its old server.
      owners = '';
      topology.refresh();
    }, movedPauseMs);
  }

  function open(address: string): ServerConnection {
    const colon = address.lastIndexOf(':');
    const connection = openServerConnection(
      { ...options, host: address.slice(0, colon), port: Number(address.slice(colon + 1)) },
      { onReady: check, onDown: goDown, onError: events.onError },
    );
    connection.redis.on('smessage', (topic: string, message: string) =>
      onMessage('topic', topic, topic, message),
    );
    connection.redis.on('moved', onMoved);
    return connection;
  }

  function describeOwners(): string {
    const runs: string[] = [];
    for (let slot = 0; slot < 16_384; slot += 1) {
      const owner = topology.ownerOf(slot) ?? '-';
      if (slot === 0 || owner !== topology.ownerOf(slot - 1)) runs.push(`${slot}=${owner}`);
    }
    return runs.join();
  }

  function followTopology() {
    if (isClosed) return;
    const now = describeOwners();
    if (now === owners) return;
    owners = now;
    const wanted = topology.owners();
    for (const [address, connection] of connections) {
      if (wanted.has(address)) continue;
      connections.delete(address);
      void connection.close();
    }
    for (const address of wanted) {
      if (!connections.has(address)) connections.set(address, open(address));
    }
    goDown();
    check();
  }
  topology.onRefresh(followTopology);

  /** A command may only name topics of one slot. */
  function eachSlot(
    names: readonly string[],
    send: (connection: ServerConnection, names: string[]) => Promise<unknown>,
  ): Promise<unknown> {
    return Promise.all(
      [...Map.groupBy(names, (name) => keySlot(name))].map(([slot, slotNames]) => {
        const connection = connections.get(topology.ownerOf(slot) ?? '');
        if (!connection) throw new Error(`no server holds slot ${slot}`);
        return send(connection, slotNames);
      }),
    );
  }

  return {
    get ready() {
      return up && isReady();
    },
    get reconnects() {
      return lost;
    },
    supportsPatterns: false,
    subscribe: async (_kind, names) =>
      eachSlot(names, ({ redis }, some) => redis.ssubscribe(...some)),
    unsubscribe: async (_kind, names) =>
      eachSlot(names, ({ redis }, some) => redis.sunsubscribe(...some)),
    ping: () => Promise.all([...connections.values()].map(({ redis }) => redis.ping())),
    drop() {
      for (const { redis } of connections.values()) dropIfSilent(redis);
    },
    dropAll() {
      for (const { redis } of connections.values()) destroySocket(redis);
    },
    async close() {
      isClosed = true;
      clearTimeout(movedTimer);
      await Promise.all([...connections.values()].map((connection) => connection.close()));
    },
  };
}
