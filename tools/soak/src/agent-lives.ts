/** What is true of the agents' connections. */
export interface AgentLives {
  /** Those that did not close. */
  readonly agents: Iterable<string>;
  /** The connection was welcomed by that hub. */
  live(agentId: string, connection: string, where: string): void;
  /** `isWanted`: the client closed it. */
  lost(agentId: string, connection: string, isWanted?: boolean): void;
  /** The agent closed for good. */
  closed(agentId: string): void;
  /** Whether one of its connections lived through all of that time. */
  wasLive(agentId: string, fromMs: number, toMs: number): boolean;
  /** Since when it had a live connection at every moment; Infinity while it has none. */
  liveSinceMs(agentId: string): number;
  /** When it closed for good; Infinity before. */
  closedAtMs(agentId: string): number;
  readonly lastClosedMs: number;
  /** When a connection last came or went. */
  readonly lastChangeMs: number;
  /** How many connections were lost, those that the client closed not counted. */
  readonly losses: number;
  /** Its last connections, for people. */
  describe(agentId: string): string;
}

interface Interval {
  readonly connection: string;
  readonly where: string;
  readonly fromMs: number;
  toMs: number;
}

interface Life {
  readonly intervals: Interval[];
  liveSinceMs: number;
  closedAtMs: number;
}

const keptIntervals = 20;

/** Creates the record; `now` is the wall clock. */
export function createAgentLives(now: () => number): AgentLives {
  const lives = new Map<string, Life>();
  let lastClosedMs = 0;
  let lastChangeMs = 0;
  let losses = 0;

  function lifeOf(agentId: string): Life {
    let life = lives.get(agentId);
    if (life === undefined)
      lives.set(agentId, (life = { intervals: [], liveSinceMs: Infinity, closedAtMs: Infinity }));
    return life;
  }

  return {
    get agents() {
      return [...lives].filter(([, life]) => life.closedAtMs === Infinity).map(([id]) => id);
    },
    live(agentId, connection, where) {
      const life = lifeOf(agentId);
      const fromMs = (lastChangeMs = now());
      life.intervals.push({ connection, where, fromMs, toMs: Infinity });
      if (life.intervals.length > keptIntervals) {
        const old = life.intervals.findIndex(({ toMs }) => toMs < Infinity);
        life.intervals.splice(old, 1);
      }
      life.liveSinceMs = Math.min(life.liveSinceMs, fromMs);
    },
    lost(agentId, connection, isWanted = false) {
      const life = lifeOf(agentId);
      lastChangeMs = now();
      if (!isWanted) losses += 1;
      for (const interval of life.intervals)
        if (interval.connection === connection && interval.toMs === Infinity)
          interval.toMs = lastChangeMs;
      if (life.intervals.every(({ toMs }) => toMs < Infinity)) life.liveSinceMs = Infinity;
    },
    closed(agentId) {
      lastClosedMs = now();
      lifeOf(agentId).closedAtMs = lastClosedMs;
    },
    wasLive: (agentId, fromMs, toMs) =>
      lifeOf(agentId).intervals.some((it) => it.fromMs <= fromMs && it.toMs >= toMs),
    liveSinceMs: (agentId) => lives.get(agentId)?.liveSinceMs ?? Infinity,
    closedAtMs: (agentId) => lives.get(agentId)?.closedAtMs ?? Infinity,
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
      const life = lives.get(agentId);
      if (life === undefined) return 'unknown here';
      const time = (ms: number) => new Date(ms).toISOString().slice(11, 23);
      const spans = life.intervals
        .slice(-4)
        .map(
          ({ connection, where, fromMs, toMs }) =>
            `${connection} at ${where} ${time(fromMs)}–${toMs < Infinity ? time(toMs) : ''}`,
        );
      const end = life.closedAtMs < Infinity ? `, closed ${time(life.closedAtMs)}` : '';
      return `connections: ${spans.join(', ')}${end}`;
    },
  };
}
