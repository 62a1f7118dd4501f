import type { IoredisOptions } from './ioredis-options.ts';
import { keySlot } from './key-slot.ts';
import { openServerConnection, type ServerConnection } from './server-connection.ts';
import { destroySocket, dropIfSilent } from './sockets.ts';
import type { ConnectionEvents, OnMessage, SubscriberTransport, Topology } from './transport.ts';

const movedPauseMs = 100;

export interface ShardedSubscriberParts {
  readonly topology: Topology;
  /** The options of each connection, without `host` and `port`. */
  readonly options: IoredisOptions;
  readonly events: ConnectionEvents;
  readonly onMessage: OnMessage;
}

/**
 * Sharded pub/sub: one connection to each master of the topology, and SSUBSCRIBE on the one that holds the topic's slot.
 * A moved slot ends its subscriptions. It is handled like a lost connection: all topics are subscribed again, which is
 * harmless for those that did not move.
 */
export function openShardedSubscriber(parts: ShardedSubscriberParts): SubscriberTransport {
  const { topology, options, events, onMessage } = parts;
  const links = new Map<string, ServerConnection>();
  let owners = '';
  let lost = 0;
  let up = false;
  let isClosed = false;
  let movedTimer: NodeJS.Timeout | undefined;

  const isReady = () =>
    !isClosed && links.size > 0 && [...links.values()].every((link) => link.ready);

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
  function resubscribeAll() {
    goDown();
    check();
  }

  /** A server gave a slot away and ended its subscriptions, or it received a topic of a slot that it does not hold. */
  function onMoved() {
    // After a pause, because each attempt fails again while the servers disagree.
    movedTimer ??= setTimeout(() => {
      movedTimer = undefined;
      // All topics are subscribed again even if the slot is back on its old server.
      owners = '';
      topology.refresh();
    }, movedPauseMs);
  }

  function open(address: string): ServerConnection {
    const colon = address.lastIndexOf(':');
    const link = openServerConnection(
      { ...options, host: address.slice(0, colon), port: Number(address.slice(colon + 1)) },
      { onReady: check, onDown: goDown, onError: (error) => events.onError(error) },
    );
    link.redis.on('smessage', (topic: string, message: string) =>
      onMessage('topic', topic, topic, message),
    );
    link.redis.on('moved', onMoved);
    return link;
  }

  /** The owners of all slots as one string, to compare. */
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
    for (const [address, link] of links) {
      if (wanted.has(address)) continue;
      links.delete(address);
      void link.close();
    }
    for (const address of wanted) {
      if (!links.has(address)) links.set(address, open(address));
    }
    resubscribeAll();
  }
  topology.onRefresh(followTopology);

  /** Calls `send` once per slot, because a command may only name topics of one slot. */
  function eachSlot(
    names: readonly string[],
    send: (link: ServerConnection, names: string[]) => Promise<unknown>,
  ): Promise<unknown> {
    const slots = new Map<number, string[]>();
    for (const name of names) {
      const slot = keySlot(name);
      const sameSlot = slots.get(slot);
      if (sameSlot) sameSlot.push(name);
      else slots.set(slot, [name]);
    }
    return Promise.all(
      [...slots].map(([slot, slotNames]) => {
        const link = links.get(topology.ownerOf(slot) ?? '');
        if (!link) throw new Error(`no server holds slot ${slot}`);
        return send(link, slotNames);
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
    ping: () => Promise.all([...links.values()].map(({ redis }) => redis.ping())),
    drop() {
      for (const { redis } of links.values()) dropIfSilent(redis);
    },
    dropAll() {
      for (const { redis } of links.values()) destroySocket(redis);
    },
    async close() {
      isClosed = true;
      clearTimeout(movedTimer);
      await Promise.all([...links.values()].map((link) => link.close()));
    },
  };
}
