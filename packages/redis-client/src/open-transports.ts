import type { Cluster, Redis } from 'ioredis';
import { connectCluster, openClusterTransport } from './cluster-transport.ts';
import { RedisClientError } from './errors.ts';
import type { RedisHealth } from './health.ts';
import { type IoredisOptions, profile, serverOptions } from './ioredis-options.ts';
import { observeCertificates, type ServerCertificate } from './observed-certificates.ts';
import {
  type BorrowedConnections,
  type ClientSettings,
  clientDefaults,
  type RedisClientOptions,
  resolveConnection,
} from './options.ts';
import {
  type CallBound,
  createCallBound,
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

/** The connection for subscriptions opens only with `openSubscriber`, when its owner can handle events. */
export interface Transports {
  readonly mode: RedisHealth['mode'];
  readonly transport: CommandTransport;
  readonly openSubscriber: (events: ConnectionEvents, onMessage: OnMessage) => SubscriberTransport;
}

export function openTransports(
  { connection, ...address }: RedisClientOptions,
  settings: ClientSettings,
  events: ConnectionEvents,
  onCertificate?: (certificate: ServerCertificate) => void,
): Transports {
  const connectionName = `${settings.connectionName}:sub`;
  const given = resolveConnection(connection ? {} : address);
  const resolved = onCertificate ? observeCertificates(given, onCertificate) : given;
  const ownProfile = profile(resolved, settings);

  const openServer = (
    mode: RedisHealth['mode'],
    source: ServerSource,
    subscriberSource: ServerSource,
  ): Transports => ({
    mode,
    transport: openServerConnection(source, events),
    openSubscriber: (...args) => openServerSubscriber(subscriberSource, ...args),
  });

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
      openSubscriber: (...args) => openShardedSubscriber(topology, options, ...args),
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

/** `instanceof` would miss a Cluster of another copy of ioredis. */
function isCluster(connection: Redis | Cluster): connection is Cluster {
  return connection.isCluster;
}

/** @throws {RedisClientError} `invalid_options` */
function resolveBorrowed(connection: Redis | Cluster | BorrowedConnections): BorrowedConnections {
  const borrowed = 'commands' in connection ? connection : { commands: connection };
  const { commands, subscriber } = borrowed;
  const invalid = (problem: string) =>
    new RedisClientError('invalid_options', `connection ${problem}`);
  if (commands === subscriber) throw invalid('needs a subscriber of its own');
  if (isCluster(commands) && subscriber) throw invalid('takes no subscriber beside a Cluster');
  for (const redis of [commands, subscriber]) {
    // With a prefix, ioredis changes the names of keys but not of published topics.
    if (redis?.options.keyPrefix) throw invalid('has a keyPrefix: use a key schema with a prefix');
  }
  return borrowed;
}
