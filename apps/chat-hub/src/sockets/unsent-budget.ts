import { getHeapStatistics } from 'node:v8';

export interface Unsent {
  /** Sets the number of unsent bytes. The first call also ends the reservation. */
  settle(bytes: number): void;
  /** Further calls do nothing. */
  release(): void;
}

/** This is the shortest retry time; the longest is twice as long. */
const retryMs = 1_000;

/**
 * Limits the unsent output of this hub, and of each agent over all its sockets and requests at this hub. A call with a
 * large answer reserves memory before it reads anything, so concurrent calls cannot exceed the limit. Every operation
 * has constant cost.
 */
export function createUnsentBudget({
  agentBytes = 16 * 1_048_576,
  hubBytes = Math.floor(getHeapStatistics().heap_size_limit / 4),
  maxWaitMs = 2_000,
  /** At most this many reservations wait per agent and per hub. Further ones are refused. */
  maxWaiting = 10_000,
  random = Math.random,
} = {}) {
  const hub = new Pool(hubBytes, maxWaiting);
  const agents = new Map<string, { readonly pool: Pool; uses: number }>();
  let refusals = 0;

  function use(agentId: string): Pool {
    let agent = agents.get(agentId);
    if (!agent) agents.set(agentId, (agent = { pool: new Pool(agentBytes, maxWaiting), uses: 0 }));
    agent.uses += 1;
    return agent.pool;
  }

  function leave(agentId: string): void {
    const agent = agents.get(agentId);
    if (agent && --agent.uses === 0) agents.delete(agentId);
  }

  function open(agentId: string, agent: Pool, reservedBytes: number): Unsent {
    let [unsent, reserved, isReleased] = [0, reservedBytes, false];
    const settle = (bytes: number) => {
      if (isReleased || (bytes === unsent && reserved === 0)) return;
      const [more, free] = [bytes - unsent, reserved];
      [unsent, reserved] = [bytes, 0];
      agent.change(more, -free);
      hub.change(more, -free);
    };
    return {
      settle,
      release() {
        if (isReleased) return;
        settle(0);
        isReleased = true;
        leave(agentId);
      },
    };
  }

  return {
    get bytes() {
      return hub.bytes;
    },
    maxBytes: hubBytes,
    get refusals() {
      return refusals;
    },
    /** Random, so that clients do not repeat refused calls together. */
    retryAfterMs: () => retryMs + Math.floor(random() * retryMs),
    /** Opens an entry without a reservation. Its bytes may exceed the budget. */
    open: (agentId: string) => open(agentId, use(agentId), 0),
    isOver: (agentId: string) =>
      hub.bytes > hubBytes || (agents.get(agentId)?.pool.bytes ?? 0) > agentBytes,
    /**
     * Waits its turn until other reservations leave enough memory, for at most `maxWaitMs`. Resolves with null after
     * this time. Resolves with null at once if too many reservations wait, or if unsent output alone leaves too little
     * memory.
     */
    async reserve(agentId: string, bytes: number): Promise<Unsent | null> {
      const agent = use(agentId);
      const endMs = performance.now() + maxWaitMs;
      if (await agent.enter(bytes, endMs)) {
        if (await hub.enter(bytes, endMs)) return open(agentId, agent, bytes);
        agent.change(0, -bytes);
      }
      leave(agentId);
      refusals += 1;
      return null;
    },
  };
}

export type UnsentBudget = ReturnType<typeof createUnsentBudget>;
export type UnsentBudgetOptions = Parameters<typeof createUnsentBudget>[0];

interface Waiter {
  readonly bytes: number;
  readonly end: (isGranted: boolean) => void;
}

class Pool {
  readonly #max: number;
  readonly #maxWaiting: number;
  readonly #waiting = new Set<Waiter>();
  #unsent = 0;
  #reserved = 0;

  constructor(max: number, maxWaiting: number) {
    this.#max = max;
    this.#maxWaiting = maxWaiting;
  }

  get bytes(): number {
    return this.#unsent + this.#reserved;
  }

  change(unsent: number, reserved: number): void {
    this.#unsent += unsent;
    this.#reserved += reserved;
    for (const waiter of this.#waiting) {
      if (this.#isFull(waiter.bytes)) waiter.end(false);
      else if (this.#take(waiter.bytes)) waiter.end(true);
      else return;
    }
  }

  /** Resolves with false when the bytes are not free by `endMs`. */
  enter(bytes: number, endMs: number): Promise<boolean> {
    if (this.#isFull(bytes)) return Promise.resolve(false);
    if (this.#waiting.size === 0 && this.#take(bytes)) return Promise.resolve(true);
    if (this.#waiting.size >= this.#maxWaiting) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (isGranted: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
        resolve(isGranted);
      };
      const waiter: Waiter = { bytes, end };
      const timer = setTimeout(end, Math.max(0, endMs - performance.now()), false);
      this.#waiting.add(waiter);
    });
  }

  /** True when unsent output alone leaves too little memory, so a wait for other reservations would not help. */
  #isFull(bytes: number): boolean {
    return this.#unsent > 0 && this.#unsent + bytes > this.#max;
  }

  #take(bytes: number): boolean {
    // One answer is always allowed, or a small budget would allow none.
    if (this.bytes > 0 && this.bytes + bytes > this.#max) return false;
    this.#reserved += bytes;
    return true;
  }
}
