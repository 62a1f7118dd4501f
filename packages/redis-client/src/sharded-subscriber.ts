import type { IoredisOptions } from './ioredis-options.ts';
import { keySlot } from './key-slot.ts';
import { type Link, openLink } from './link.ts';
import { destroySocket, dropIfSilent } from './sockets.ts';
import type { OnMessage, SubscriberTransport } from './subscriber-transport.ts';
import type { Topology } from './topology.ts';
import type { LinkEvents } from './transport.ts';

const movedPauseMs = 100;

/** What {@link openShardedSubscriber} works with. */
export interface ShardedSubscriberParts {
  readonly topology: Topology;
  /** Of one connection; `host` and `port` are filled in. */
  readonly options: IoredisOptions;
  readonly events: LinkEvents;
  readonly onMessage: OnMessage;
}

/**
 * Sharded pub/sub: one connection to each master, kept in step with the topology, and SSUBSCRIBE on the one that holds
 * the topic's slot. A moved slot ends its subscriptions; like a lost connection it makes the registry tell everything
 * again, which is harmless where nothing changed.
 */
export function openShardedSubscriber(parts: ShardedSubscriberParts): SubscriberTransport {
  const { topology, options, events, onMessage } = parts;
  const links = new Map<string, Link>();
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
  function tellAgain() {
    goDown();
    check();
  }

  /** A server gave a slot away, which ended the subscriptions in it, or was asked for one that it does not hold. */
  function onMoved() {
    // Not at once: while the servers disagree, this would come again with each attempt.
    movedTimer ??= setTimeout(() => {
      movedTimer = undefined;
      // Told again even if the slot is back where it was.
      owners = '';
      topology.refresh();
    }, movedPauseMs);
  }

  function open(address: string): Link {
    const colon = address.lastIndexOf(':');
    const link = openLink(
      { ...options, host: address.slice(0, colon), port: Number(address.slice(colon + 1)) },
      { onReady: check, onDown: goDown, onError: (error) => events.onError(error) },
    );
    link.redis.on('smessage', (topic: string, message: string) =>
      onMessage('topic', topic, topic, message),
    );
    link.redis.on('moved', onMoved);
    return link;
  }

  /** Which slots belong to whom, in one string: equal while nothing moved. */
  function describeOwners(): string {
    const runs: string[] = [];
    for (let slot = 0; slot < 16_384; slot += 1) {
      const owner = topology.ownerOf(slot) ?? '-';
      if (slot === 0 || owner !== topology.ownerOf(slot - 1)) runs.push(`${slot}=${owner}`);
    }
    return runs.join();
  }

  function follow() {
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
    tellAgain();
  }
  topology.onRefresh(follow);

  /** Calls `send` once per slot, as a command may name topics of one slot only. */
  function eachSlot(
    names: readonly string[],
    send: (link: Link, names: string[]) => Promise<unknown>,
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
