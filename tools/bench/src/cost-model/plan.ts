import {
  costs,
  postgresMessageBytes,
  receivingMicros,
  redisMicros,
  redisOutputPerMessage,
  sendingMicros,
  type MessageLoad,
} from './model.ts';

export interface Fleet {
  readonly agents: number;
  readonly channelSize: number;
  readonly messagesPerAgentSecond: number;
  readonly contentBytes: number;
  /**
   * True when a balancer sends all members of a channel to one hub; false when members are spread evenly over the hubs.
   */
  readonly areMembersTogether: boolean;
}

export interface Plan extends Fleet {
  readonly messagesPerSecond: number;
  readonly deliveriesPerSecond: number;
  /**
   * Separate databases, each with its own Redis and hubs, divide the channels among them. The hub does not support
   * this yet.
   */
  readonly systems: number;
  readonly hubs: number;
  readonly socketsPerHub: number;
  readonly hubHeapBytes: number;
  /** One Redis server uses one core. More cores need Redis Cluster. */
  readonly redisCores: number;
  readonly redisOutputBytesPerSecond: number;
  readonly redisMemoryBytes: number;
  readonly databaseBytesPerDay: number;
}

/** A larger share of a core would delay bursts. */
const maxCores = 0.6;
/**
 * The most of a hub's core that the commits of other hubs may take. This part grows with the whole system, because
 * every hub reads all commits.
 */
const maxForeignCores = 0.2;
/** If a hub stops, the other hubs must be able to take over its connections. */
const maxSocketsPerHub = 20_000;
/** Under load, a hub flushes about every 3 ms. One flush ends one turn. */
const maxTurnsPerSecond = 300;

function hubCores(fleet: Fleet, hubs: number): number {
  const { agents, channelSize, messagesPerAgentSecond } = fleet;
  const messages = agents * messagesPerAgentSecond;
  const sent = messages / hubs;
  const following = followingHubs(fleet, hubs);
  const received = (messages * following) / hubs;
  const turnsOf = (perSecond: number) => Math.min(1, maxTurnsPerSecond / perSecond);
  const sending = sent * sendingMicros({ turns: turnsOf(sent) });
  // Every socket follows one channel, so only messages of one channel share writes.
  const writeTurns = turnsOf(channelSize * messagesPerAgentSecond);
  const turns = turnsOf(received);
  const fanOut = channelSize / following;
  const receiving =
    received *
    (receivingMicros({ turns, fanOut: 0 }) +
      fanOut * (costs.deliveryMicros + writeTurns * costs.writeMicros));
  const idle = (agents / hubs) * costs.socketMicrosPerSecond;
  const foreign = messages * costs.foreignMessageMicros;
  return (sending + receiving + idle + foreign) / 1_000_000;
}

/**
 * Members are spread evenly over hubs. The result is the mean number of hubs with at least one member of a channel.
 */
export function hubsOfChannel(channelSize: number, hubs: number): number {
  return hubs * (1 - (1 - 1 / hubs) ** channelSize);
}

function followingHubs({ channelSize, areMembersTogether }: Fleet, hubs: number): number {
  return areMembersTogether ? 1 : hubsOfChannel(channelSize, hubs);
}

function hubsFor(fleet: Fleet): number {
  let hubs = Math.ceil(fleet.agents / maxSocketsPerHub);
  // More hubs lower the load of each hub towards its cost for the other hubs' commits. That cost is below the limit, so
  // the loop ends.
  while (hubCores(fleet, hubs) > maxCores) hubs += Math.ceil(hubs / 50);
  return hubs;
}

export function planFor(fleet: Fleet): Plan {
  const { agents, channelSize, messagesPerAgentSecond, contentBytes } = fleet;
  const messagesPerSecond = agents * messagesPerAgentSecond;
  const foreignCores = (messagesPerSecond * costs.foreignMessageMicros) / 1_000_000;
  const systems = Math.max(1, Math.ceil(foreignCores / maxForeignCores));
  const hubsOfSystem = hubsFor({ ...fleet, agents: agents / systems });
  const hubs = systems * hubsOfSystem;
  const following = followingHubs(fleet, hubsOfSystem);
  const load: MessageLoad = {
    contentBytes,
    perSecond: messagesPerSecond,
    senders: agents,
    hubs: following,
    fanOut: channelSize / following,
    turns: Math.min(1, (maxTurnsPerSecond * hubs) / messagesPerSecond),
  };
  // This is an upper bound, because each further hub that follows a channel counts as another publish.
  const publishing = messagesPerSecond * following * redisMicros({ turns: 0 });
  const presence = agents * costs.leaseMicrosPerSecond;
  return {
    ...fleet,
    messagesPerSecond,
    deliveriesPerSecond: messagesPerSecond * channelSize,
    systems,
    hubs,
    socketsPerHub: Math.ceil(agents / hubs),
    hubHeapBytes: (agents / hubs) * costs.socketHeapBytes,
    redisCores: (publishing + presence) / 1_000_000,
    redisOutputBytesPerSecond: messagesPerSecond * redisOutputPerMessage(load),
    redisMemoryBytes: agents * costs.leaseBytes,
    databaseBytesPerDay: messagesPerSecond * 86_400 * postgresMessageBytes(contentBytes),
  };
}

/**
 * Fleets grow from the EPIC's 111 agents to a million, in channels of 20. Each agent sends a message every ten
 * seconds.
 */
export const fleets: readonly Fleet[] = [false, true].flatMap((areMembersTogether) =>
  [111, 1_000, 10_000, 100_000, 1_000_000].map((agents) => ({
    agents,
    channelSize: 20,
    messagesPerAgentSecond: 0.1,
    contentBytes: 200,
    areMembersTogether,
  })),
);
