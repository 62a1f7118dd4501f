import { createCallBound, isCluster, resolveBorrowed } from './borrowed.ts';
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
  options: RedisClientOptions,
  settings: ClientSettings,
  events: ConnectionEvents,
): Transports {
  const { connection, ...address } = options;
  if (connection) return openBorrowed(connection, address, settings, events);
  const resolved = resolveConnection(address);
  const { mode } = resolved;
  if (mode === 'cluster') {
    const cluster = connectCluster(resolved, settings);
    return openCluster(cluster, profile(resolved, settings), settings, events, null);
  }
  const source = serverOptions(resolved, settings);
  return openServer(mode, source, { ...source, ...subscriberName(settings) }, events);
}

const subscriberName = ({ connectionName }: ClientSettings) => ({
  connectionName: `${connectionName}:sub`,
});

function openServer(
  mode: RedisHealth['mode'],
  source: ServerSource,
  subscriberSource: ServerSource,
  events: ConnectionEvents,
): Transports {
  return {
    mode,
    transport: openServerConnection(source, events),
    openSubscriber: (subscriberEvents, onMessage) =>
      openServerSubscriber(subscriberSource, subscriberEvents, onMessage),
  };
}

function openCluster(
  ...[cluster, nodeOptions, settings, events, bound]: [
    Parameters<typeof openClusterTransport>[0],
    IoredisOptions,
    ClientSettings,
    ConnectionEvents,
    Parameters<typeof openClusterTransport>[3],
  ]
): Transports {
  const { transport, topology } = openClusterTransport(cluster, settings, events, bound);
  const options = { ...nodeOptions, ...subscriberName(settings) };
  return {
    mode: 'cluster',
    transport,
    openSubscriber: (subscriberEvents, onMessage) =>
      openShardedSubscriber({ topology, options, events: subscriberEvents, onMessage }),
  };
}

function openBorrowed(
  connection: NonNullable<RedisClientOptions['connection']>,
  address: RedisClientOptions,
  settings: ClientSettings,
  events: ConnectionEvents,
): Transports {
  const extra = Object.keys(address).find((name) => !Object.hasOwn(clientDefaults, name));
  if (extra !== undefined) {
    throw new RedisClientError('invalid_options', `connection and ${extra} exclude each other`);
  }
  const { commands, subscriber } = resolveBorrowed(connection);
  const createBound = () => createCallBound(settings.commandTimeoutMs);
  const ownProfile = { ...profile(resolveConnection({}), settings), lazyConnect: false };
  if (isCluster(commands)) {
    const nodeOptions = { ...commands.options.redisOptions, ...ownProfile };
    return openCluster(commands, nodeOptions, settings, events, createBound());
  }
  const { replyMapping: _mapping, ...theirOptions } = commands.options;
  return openServer(
    theirOptions.sentinels ? 'sentinel' : 'standalone',
    { redis: commands, bound: createBound() },
    subscriber
      ? { redis: subscriber, bound: createBound() }
      : { ...theirOptions, ...ownProfile, ...subscriberName(settings) },
    events,
  );
}
