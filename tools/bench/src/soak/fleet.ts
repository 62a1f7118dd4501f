import { createClient } from '@openclaw/client';
import type { Random } from './random.ts';
import { channelIdsOf } from './system.ts';
import { createSubscriber, type HubAddress, type Records, type Subscriber } from './subscriber.ts';

export interface FleetOptions {
  readonly agents: number;
  readonly channels: number;
  /** The first agent has this many direct channels with agents that never connect. */
  readonly directs: number;
}

export interface Fleet {
  /** One for each connection of the agents, without guests. Every third agent has two connections. */
  readonly subscribers: readonly Subscriber[];
  readonly channelIds: readonly string[];
  /** Pairs of agents that have a direct channel. */
  readonly pairs: readonly (readonly [agentId: string, agentId: string])[];
  readonly directIds: readonly string[];
  /** Silent agents never connect; the first agent has a direct channel with each. */
  readonly silentIds: readonly string[];
  subscribersOf(agentId: string): readonly Subscriber[];
  /** Connects a guest that follows all channels. Resolves with a function that disconnects it. */
  invite(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const setUpTimeoutMs = 30_000;

export async function createFleet(
  options: FleetOptions,
  addresses: readonly HubAddress[],
  random: Random,
  records: Records,
): Promise<Fleet> {
  const agentIds = Array.from({ length: options.agents }, (_, index) => `agent-${index + 1}`);
  const channelIds = channelIdsOf(options.channels);
  const subscribers: Subscriber[] = [];
  const visitors = new Set<Subscriber>();
  let guests = 0;

  const create = (agentId: string, number: number, home: number) =>
    createSubscriber(
      { agentId, number, addresses, homeIndex: home, random: random.fork(`${agentId}/${number}`) },
      records,
    );

  const [first] = addresses;
  const founder = createClient({ url: `ws://127.0.0.1:${first?.port ?? 0}`, agent: 'founder' });
  await founder.ready({ signal: AbortSignal.timeout(setUpTimeoutMs) });
  for (const channelId of channelIds)
    await founder.call('channel.create', { channelId, name: channelId });
  await founder.close();

  for (const [index, agentId] of agentIds.entries()) {
    subscribers.push(create(agentId, 1, index % addresses.length));
    // Every third agent has a second connection, at another hub. The agent is online while one of the two is open.
    if (index % 3 === 0) subscribers.push(create(agentId, 2, secondHomeOf(index)));
  }
  // `step` varies with the agent. It is less than the number of hubs, so the second hub is never the first.
  function secondHomeOf(index: number): number {
    const step = 1 + (Math.floor(index / 3) % (addresses.length - 1));
    return (index + step) % addresses.length;
  }
  const subscribersOf = (agentId: string) => subscribers.filter((it) => it.agentId === agentId);
  await Promise.all(
    subscribers.map(({ client }) => client.ready({ signal: AbortSignal.timeout(setUpTimeoutMs) })),
  );
  for (const agentId of agentIds)
    for (const channelId of channelIds)
      await subscribersOf(agentId)[0]?.client.channel(channelId).join();
  await Promise.all(
    subscribers.flatMap((it) => channelIds.map((channelId) => it.follow(channelId, 0))),
  );

  const pairs: (readonly [string, string])[] = [];
  const directIds: string[] = [];
  async function openDirect(from: string, to: string) {
    const sender = subscribersOf(from)[0] as Subscriber;
    const { channelId } = await sender.client.call('direct.send', {
      agentId: to,
      content: 'hello',
    });
    for (const it of [...subscribersOf(from), ...subscribersOf(to)])
      records.ledger.follows(it.name, channelId, 0);
    directIds.push(channelId);
  }
  for (let i = 0; i + 1 < Math.min(agentIds.length, 6); i += 2) {
    const [from, to] = [agentIds[i] as string, agentIds[i + 1] as string];
    await openDirect(from, to);
    pairs.push([from, to]);
  }
  // The first agent opens these channels and sends in them. Only its own connections get the messages, because the
  // silent agents never connect.
  const silentIds = Array.from({ length: options.directs }, (_, index) => `silent-${index + 1}`);
  for (const agentId of silentIds) await openDirect(agentIds[0] as string, agentId);

  return {
    subscribers: subscribers,
    channelIds,
    pairs,
    directIds,
    silentIds,
    subscribersOf: subscribersOf,
    async invite() {
      guests += 1;
      const agentId = `guest-${guests}`;
      const guest = create(agentId, 1, random.between(0, addresses.length - 1));
      visitors.add(guest);
      const leave = async () => {
        visitors.delete(guest);
        await guest.close();
        records.presence.connections.closed(agentId);
      };
      try {
        for (const channelId of channelIds) {
          await guest.client.channel(channelId).join();
          const { channel } = await guest.client.call('channel.get', { channelId });
          await guest.follow(channelId, channel.head);
        }
      } catch (error) {
        await leave();
        throw error;
      }
      return leave;
    },
    async close() {
      await Promise.all([...subscribers, ...visitors].map((it) => it.close()));
    },
  };
}
