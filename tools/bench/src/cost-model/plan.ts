import {
  costs,
  postgresMessageBytes,
  receivingMicros,
  redisMicros,
  redisOutputPerMessage,
  sendingMicros,
  type MessageLoad,
} from './model.ts';

/** A fleet. Each agent is in one channel and sends messages there. */
export interface Fleet {
  readonly agents: number;
  readonly channelSize: number;
  readonly messagesPerAgentSecond: number;
  readonly contentBytes: number;
  /** True when a balancer sends all members of a channel to one hub; false when it spreads them evenly. */
  readonly areMembersTogether: boolean;
}

export interface Plan extends Fleet {
  readonly messagesPerSecond: number;
  readonly deliveriesPerSecond: number;
  /**
   * Separate databases, each with its own Redis and hubs. The channels are divided among them, which the hub does not
   * support yet.
   */
  readonly systems: number;
  /** Hubs of all systems together. */
  readonly hubs: number;
  readonly socketsPerHub: number;
  readonly hubHeapBytes: number;
  /**
   * Cores of Redis in all systems, for live delivery and presence. One server uses one core; more need Redis Cluster.
   */
  readonly redisCores: number;
  readonly redisOutputBytesPerSecond: number;
  readonly redisMemoryBytes: number;
  readonly databaseBytesPerDay: number;
}

/** The largest share of a core that a hub may use, so that bursts are not late. */
const maxCores = 0.6;
/** The largest share of a core that a hub may spend on commits of other hubs, which grow with the whole system. */
const maxForeignCores = 0.2;
/** The most connections of a hub, so that the other hubs can take over those of one that stops. */
const maxSocketsPerHub = 20_000;
/** Under load a hub flushes about every 3 ms. */
const maxTurnsPerSecond = 300;

/** The cores that each of `hubs` hubs uses. */
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

/** The mean number of hubs with at least one member of a channel, if members are spread evenly. */
export function hubsOfChannel(channelSize: number, hubs: number): number {
  return hubs * (1 - (1 - 1 / hubs) ** channelSize);
}

function followingHubs({ channelSize, areMembersTogether }: Fleet, hubs: number): number {
  return areMembersTogether ? 1 : hubsOfChannel(channelSize, hubs);
}

/** The smallest number of hubs of one system that stays within the limits. */
function hubsFor(fleet: Fleet): number {
  let hubs = Math.ceil(fleet.agents / maxSocketsPerHub);
  // The loop ends: with more hubs, the load of each approaches the share for foreign commits, which is below the
  // limit.
  while (hubCores(fleet, hubs) > maxCores) hubs += Math.ceil(hubs / 50);
  return hubs;
}

/** The smallest deployment that serves the fleet within the limits. */
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
  // An upper bound, because each further hub that follows a channel counts as another publish.
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

/** Fleets from the EPIC's 111 agents to a million, in channels of 20. Each agent sends a message every ten seconds. */
export const fleets: readonly Fleet[] = [false, true].flatMap((areMembersTogether) =>
  [111, 1_000, 10_000, 100_000, 1_000_000].map((agents) => ({
    agents,
    channelSize: 20,
    messagesPerAgentSecond: 0.1,
    contentBytes: 200,
    areMembersTogether,
  })),
);
