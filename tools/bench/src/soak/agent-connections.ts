export interface AgentConnections {
  /** The list leaves out agents that have closed for good. */
  readonly agents: Iterable<string>;
  /** Call it when the hub `where` sent its welcome. */
  live(agentId: string, connection: string, where: string): void;
  /** Call it when the hub answered the subscribe, which makes the agent present. */
  subscribed(agentId: string, connection: string, channelId: string): void;
  /** `isWanted` is true when the client closed the connection. */
  lost(agentId: string, connection: string, isWanted?: boolean): void;
  closed(agentId: string): void;
  /** True if one of the agent's connections had to be present during the whole time. */
  wasPresent(agentId: string, channelId: string, fromMs: number, toMs: number): boolean;
  /** The agent had to be present from this time on. Infinity while the agent need not be present. */
  presentSinceMs(agentId: string, channelId: string): number;
  /** Returns Infinity while the agent has not closed for good. */
  closedAtMs(agentId: string): number;
  readonly lastClosedMs: number;
  /** A connection was last opened, subscribed or lost at this time. */
  readonly lastChangeMs: number;
  readonly losses: number;
  describe(agentId: string, channelId: string): string;
}

interface Interval {
  readonly connection: string;
  readonly where: string;
  readonly fromMs: number;
  /** The times of the first answers to a subscribe, by channel. */
  readonly subscribedMs: Map<string, number>;
  toMs: number;
}

interface Connections {
  readonly intervals: Interval[];
  closedAtMs: number;
}

const keptIntervals = 20;
/**
 * A hub must answer a subscribe within this time. Afterwards the connection counts as present, so that the silent hub
 * is reported. On a busy machine, answers took 20 s.
 */
export const subscribeMaxMs = 40_000;

const presentFromMs = ({ fromMs, subscribedMs }: Interval, channelId: string) =>
  Math.min(subscribedMs.get(channelId) ?? Infinity, fromMs + subscribeMaxMs);

export function createAgentConnections(now: () => number): AgentConnections {
  const connections = new Map<string, Connections>();
  let lastClosedMs = 0;
  let lastChangeMs = 0;
  let losses = 0;

  function connectionsOf(agentId: string): Connections {
    let own = connections.get(agentId);
    if (own === undefined)
      connections.set(agentId, (own = { intervals: [], closedAtMs: Infinity }));
    return own;
  }

  return {
    get agents() {
      return [...connections].filter(([, life]) => life.closedAtMs === Infinity).map(([id]) => id);
    },
    live(agentId, connection, where) {
      const own = connectionsOf(agentId);
      const fromMs = (lastChangeMs = now());
      const subscribedMs = new Map<string, number>();
      own.intervals.push({ connection, where, fromMs, subscribedMs, toMs: Infinity });
      if (own.intervals.length > keptIntervals) {
        const old = own.intervals.findIndex(({ toMs }) => toMs < Infinity);
        own.intervals.splice(old, 1);
      }
    },
    subscribed(agentId, connection, channelId) {
      for (const interval of connectionsOf(agentId).intervals) {
        const { subscribedMs, toMs } = interval;
        if (interval.connection !== connection || toMs < Infinity) continue;
        if (!subscribedMs.has(channelId)) subscribedMs.set(channelId, (lastChangeMs = now()));
      }
    },
    lost(agentId, connection, isWanted = false) {
      const own = connectionsOf(agentId);
      lastChangeMs = now();
      if (!isWanted) losses += 1;
      for (const interval of own.intervals)
        if (interval.connection === connection && interval.toMs === Infinity)
          interval.toMs = lastChangeMs;
    },
    closed(agentId) {
      lastClosedMs = now();
      connectionsOf(agentId).closedAtMs = lastClosedMs;
    },
    wasPresent: (agentId, channelId, fromMs, toMs) =>
      connectionsOf(agentId).intervals.some(
        (it) => presentFromMs(it, channelId) <= fromMs && it.toMs >= toMs,
      ),
    presentSinceMs(agentId, channelId) {
      const { intervals = [] } = connections.get(agentId) ?? {};
      let sinceMs = Infinity;
      // Goes back in time: an older connection counts only if it lasted until the next connection was present.
      for (const interval of intervals.toSorted((a, b) => b.toMs - a.toMs)) {
        if (interval.toMs < sinceMs) break;
        sinceMs = Math.min(sinceMs, presentFromMs(interval, channelId));
      }
      return sinceMs;
    },
    closedAtMs: (agentId) => connections.get(agentId)?.closedAtMs ?? Infinity,
    get lastClosedMs() {
      return lastClosedMs;
    },
    get lastChangeMs() {
      return lastChangeMs;
    },
    get losses() {
      return losses;
    },
    describe(agentId, channelId) {
      const own = connections.get(agentId);
      if (own === undefined) return 'unknown here';
      const time = (ms: number) => new Date(ms).toISOString().slice(11, 23);
      const spans = own.intervals
        .slice(-4)
        .map(({ connection, where, fromMs, toMs, subscribedMs }) => {
          const enteredMs = subscribedMs.get(channelId);
          const entered =
            enteredMs === undefined ? 'not subscribed' : `subscribed ${time(enteredMs)}`;
          const end = toMs < Infinity ? time(toMs) : '';
          return `${connection} at ${where} ${time(fromMs)}–${end} (${entered})`;
        });
      const end = own.closedAtMs < Infinity ? `, closed ${time(own.closedAtMs)}` : '';
      return `connections: ${spans.join(', ')}${end}`;
    },
  };
}
