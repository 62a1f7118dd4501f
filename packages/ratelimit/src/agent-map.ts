// The order is exact to this time only: moving an agent on every request would cost more than counting it.
const orderMs = 1000;

interface Entry<T> {
  readonly value: T;
  touchedAtMs: number;
}

/** A bounded map from agent to value; an agent is dropped when it is idle for `idleMs`. */
export interface AgentMap<T> {
  /** The agent's value, made by `create` if there is none. Beyond `max` the agent idle longest is dropped. */
  touch(agentId: string, nowMs: number, create: () => T): T;
  get(agentId: string): T | undefined;
  delete(agentId: string): void;
  /** Drops the agents that were idle for `idleMs`. */
  sweep(nowMs: number): void;
  readonly size: number;
}

export function createAgentMap<T>(max: number, idleMs: number): AgentMap<T> {
  // In the order of the last touch: idle agents come first.
  const entries = new Map<string, Entry<T>>();

  const sweep = (nowMs: number) => {
    for (const [agentId, { touchedAtMs }] of entries) {
      if (nowMs - touchedAtMs < idleMs + orderMs) break;
      entries.delete(agentId);
    }
  };

  return {
    touch(agentId, nowMs, create) {
      const known = entries.get(agentId);
      if (known) {
        if (Math.abs(nowMs - known.touchedAtMs) >= orderMs) {
          known.touchedAtMs = nowMs;
          entries.delete(agentId);
          entries.set(agentId, known);
        }
        return known.value;
      }
      sweep(nowMs);
      const idlest = entries.size >= max ? entries.keys().next() : undefined;
      if (idlest?.value !== undefined) entries.delete(idlest.value);
      const value = create();
      entries.set(agentId, { value, touchedAtMs: nowMs });
      return value;
    },
    get: (agentId) => entries.get(agentId)?.value,
    delete: (agentId) => void entries.delete(agentId),
    sweep,
    get size() {
      return entries.size;
    },
  };
}
