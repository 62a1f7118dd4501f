import type { Cluster } from 'ioredis';
import { type CallBound, createCallBound, isCluster, resolveBorrowed } from './borrowed.ts';
import { connectCluster, openClusterTransport } from './cluster-transport.ts';
import { RedisClientError } from './errors.ts';
import type { RedisHealth } from './health.ts';
import { type IoredisOptions, profile, serverOptions } from './ioredis-options.ts';
import {
  type ClientSettings,
  clientDefaults,
  type RedisClientOptions,
  resolveConnection,
} from './options.ts';
import {
  openServerConnection,
  openServerSubscriber,
  type ServerSource,
} from './server-connection.ts';
import { openShardedSubscriber } from './sharded-subscriber.ts';
import type {
  CommandTransport,
  ConnectionEvents,
  OnMessage,
  SubscriberTransport,
} from './transport.ts';

/** The connections of a client. The one for subscriptions opens when its owner is ready for its events. */
export interface Transports {
  readonly mode: RedisHealth['mode'];
  readonly transport: CommandTransport;
  readonly openSubscriber: (events: ConnectionEvents, onMessage: OnMessage) => SubscriberTransport;
}

/** Connects as the options say. Pub/sub always has connections of its own. */
export function openTransports(
  { connection, ...address }: RedisClientOptions,
  settings: ClientSettings,
  events: ConnectionEvents,
): Transports {
  const connectionName = `${settings.connectionName}:sub`;
  const resolved = resolveConnection(connection ? {} : address);
  const ownProfile = profile(resolved, settings);

  function openServer(
    mode: RedisHealth['mode'],
    source: ServerSource,
    subscriberSource: ServerSource,
  ): Transports {
    return {
      mode,
      transport: openServerConnection(source, events),
      openSubscriber: (...args) => openServerSubscriber(subscriberSource, ...args),
    };
  }

  function openCluster(
    cluster: Cluster,
    node: IoredisOptions,
    bound: CallBound | null,
  ): Transports {
    const { transport, topology } = openClusterTransport(cluster, settings, events, bound);
    const options = { ...node, ...ownProfile, connectionName };
    return {
      mode: 'cluster',
      transport,
      openSubscriber: (subscriberEvents, onMessage) =>
        openShardedSubscriber({ topology, options, events: subscriberEvents, onMessage }),
    };
  }

  if (!connection) {
    const { mode } = resolved;
    if (mode === 'cluster') return openCluster(connectCluster(resolved, settings), {}, null);
    const source = serverOptions(resolved, settings);
    return openServer(mode, source, { ...source, connectionName });
  }

  const extra = Object.keys(address).find((name) => !Object.hasOwn(clientDefaults, name));
  if (extra !== undefined) {
    throw new RedisClientError('invalid_options', `connection and ${extra} exclude each other`);
  }
  const { commands, subscriber } = resolveBorrowed(connection);
  const createBound = () => createCallBound(settings.commandTimeoutMs);
  if (isCluster(commands)) {
    return openCluster(commands, commands.options.redisOptions ?? {}, createBound());
  }
  const { replyMapping: _mapping, ...theirOptions } = commands.options;
  return openServer(
    theirOptions.sentinels ? 'sentinel' : 'standalone',
    { redis: commands, bound: createBound() },
    subscriber
      ? { redis: subscriber, bound: createBound() }
      : { ...theirOptions, ...ownProfile, connectionName, lazyConnect: false },
  );
}
