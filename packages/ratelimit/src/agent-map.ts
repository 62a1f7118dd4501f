// How old an agent's place in the order may be: moving it on every request would cost more than counting.
const placeMs = 1000;

interface Place<T> {
  readonly value: T;
  touchedAtMs: number;
}

/** Something kept per agent: at most `max`, none for an agent idle for `idleMs`. */
export interface AgentMap<T> {
  /** What is kept for the agent, made by `create` when nothing is. Past `max` the agent idle longest is forgotten. */
  touch(agentId: string, nowMs: number, create: () => T): T;
  get(agentId: string): T | undefined;
  delete(agentId: string): void;
  /** Forgets the agents that were idle for `idleMs`. */
  sweep(nowMs: number): void;
  readonly size: number;
}

/** Makes an {@link AgentMap}. Its order is true to a second. */
export function createAgentMap<T>(max: number, idleMs: number): AgentMap<T> {
  // A Map keeps the order of insertion: whoever is touched goes to its end, so the idle are at its beginning.
  const places = new Map<string, Place<T>>();

  const sweep = (nowMs: number) => {
    for (const [agentId, { touchedAtMs }] of places) {
      if (nowMs - touchedAtMs < idleMs + placeMs) break;
      places.delete(agentId);
    }
  };

  return {
    touch(agentId, nowMs, create) {
      const known = places.get(agentId);
      if (known) {
        if (Math.abs(nowMs - known.touchedAtMs) >= placeMs) {
          known.touchedAtMs = nowMs;
          places.delete(agentId);
          places.set(agentId, known);
        }
        return known.value;
      }
      sweep(nowMs);
      const idlest = places.size >= max ? places.keys().next() : undefined;
      if (idlest?.value !== undefined) places.delete(idlest.value);
      const value = create();
      places.set(agentId, { value, touchedAtMs: nowMs });
      return value;
    },
    get: (agentId) => places.get(agentId)?.value,
    delete: (agentId) => void places.delete(agentId),
    sweep,
    get size() {
      return places.size;
    },
  };
}
