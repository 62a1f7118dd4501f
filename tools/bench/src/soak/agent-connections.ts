export interface AgentConnections {
  /** The list leaves out agents that have closed for good. */
  readonly agents: Iterable<string>;
  /** Call it when the hub `where` sent its welcome. */
  live(agentId: string, connection: string, where: string): void;
  /** `isWanted` is true when the client closed the connection. */
  lost(agentId: string, connection: string, isWanted?: boolean): void;
  closed(agentId: string): void;
  wasLive(agentId: string, fromMs: number, toMs: number): boolean;
  /** The agent has always had a connection since this time; Infinity while it has none. */
  liveSinceMs(agentId: string): number;
  /** Infinity while the agent has not closed for good. */
  closedAtMs(agentId: string): number;
  readonly lastClosedMs: number;
  /** A connection was last opened or lost at this time. */
  readonly lastChangeMs: number;
  readonly losses: number;
  describe(agentId: string): string;
}

interface Interval {
  readonly connection: string;
  readonly where: string;
  readonly fromMs: number;
  toMs: number;
}

interface Connections {
  readonly intervals: Interval[];
  liveSinceMs: number;
  closedAtMs: number;
}

const keptIntervals = 20;

export function createAgentConnections(now: () => number): AgentConnections {
  const connections = new Map<string, Connections>();
  let lastClosedMs = 0;
  let lastChangeMs = 0;
  let losses = 0;

  function connectionsOf(agentId: string): Connections {
    let own = connections.get(agentId);
    if (own === undefined)
      connections.set(
        agentId,
        (own = { intervals: [], liveSinceMs: Infinity, closedAtMs: Infinity }),
      );
    return own;
  }

  return {
    get agents() {
      return [...connections].filter(([, life]) => life.closedAtMs === Infinity).map(([id]) => id);
    },
    live(agentId, connection, where) {
      const own = connectionsOf(agentId);
      const fromMs = (lastChangeMs = now());
      own.intervals.push({ connection, where, fromMs, toMs: Infinity });
      if (own.intervals.length > keptIntervals) {
        const old = own.intervals.findIndex(({ toMs }) => toMs < Infinity);
        own.intervals.splice(old, 1);
      }
      own.liveSinceMs = Math.min(own.liveSinceMs, fromMs);
    },
    lost(agentId, connection, isWanted = false) {
      const own = connectionsOf(agentId);
      lastChangeMs = now();
      if (!isWanted) losses += 1;
      for (const interval of own.intervals)
        if (interval.connection === connection && interval.toMs === Infinity)
          interval.toMs = lastChangeMs;
      if (own.intervals.every(({ toMs }) => toMs < Infinity)) own.liveSinceMs = Infinity;
    },
    closed(agentId) {
      lastClosedMs = now();
      connectionsOf(agentId).closedAtMs = lastClosedMs;
    },
    wasLive: (agentId, fromMs, toMs) =>
      connectionsOf(agentId).intervals.some((it) => it.fromMs <= fromMs && it.toMs >= toMs),
    liveSinceMs: (agentId) => connections.get(agentId)?.liveSinceMs ?? Infinity,
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
    describe(agentId) {
      const own = connections.get(agentId);
      if (own === undefined) return 'unknown here';
      const time = (ms: number) => new Date(ms).toISOString().slice(11, 23);
      const spans = own.intervals
        .slice(-4)
        .map(
          ({ connection, where, fromMs, toMs }) =>
            `${connection} at ${where} ${time(fromMs)}–${toMs < Infinity ? time(toMs) : ''}`,
        );
      const end = own.closedAtMs < Infinity ? `, closed ${time(own.closedAtMs)}` : '';
      return `connections: ${spans.join(', ')}${end}`;
    },
  };
}
