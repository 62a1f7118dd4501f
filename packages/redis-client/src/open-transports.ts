import { openCluster } from './cluster-transport.ts';
import type { ResolvedConnection } from './connection-options.ts';
import { profile, serverOptions } from './ioredis-options.ts';
import { openLink } from './link.ts';
import { openLinkSubscriber } from './link-subscriber.ts';
import type { ClientSettings } from './options.ts';
import { openShardedSubscriber } from './sharded-subscriber.ts';
import type { OnMessage, SubscriberTransport } from './subscriber-transport.ts';
import type { CommandTransport, LinkEvents } from './transport.ts';

/** The two sides of a client: commands at once, subscriptions when their owner is ready to hear of them. */
export interface Transports {
  readonly transport: CommandTransport;
  readonly openSubscriber: (events: LinkEvents, onMessage: OnMessage) => SubscriberTransport;
}

/** Connects in the way that the options ask for. Pub/sub has connections of its own in each. */
export function openTransports(
  connection: ResolvedConnection,
  settings: ClientSettings,
  events: LinkEvents,
): Transports {
  const connectionName = `${settings.connectionName}:sub`;
  if (connection.mode === 'cluster') {
    const { transport, topology } = openCluster(connection, settings, events);
    const options = { ...profile(connection, settings), connectionName };
    return {
      transport,
      openSubscriber: (subscriberEvents, onMessage) =>
        openShardedSubscriber({ topology, options, events: subscriberEvents, onMessage }),
    };
  }
  const options = serverOptions(connection, settings);
  return {
    transport: openLink(options, events),
    openSubscriber: (subscriberEvents, onMessage) =>
      openLinkSubscriber({ ...options, connectionName }, subscriberEvents, onMessage),
  };
}
