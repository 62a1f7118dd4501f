import { getHeapStatistics } from 'node:v8';

/** The bytes of one socket or one answer that the peer has not read yet. */
export interface Unsent {
  /** Sets the bytes held now. The first call replaces a reservation by the answer's real size. */
  settle(bytes: number): void;
  /** Frees all of it; further calls do nothing. */
  release(): void;
}

/**
 * Limits the memory of unsent output, per hub and per agent over all its sockets and requests here. A call with a large
 * answer reserves memory before it reads anything, so that concurrent calls cannot exceed the limit.
 */
export interface UnsentBudget {
  /** Bytes held or reserved now. */
  readonly bytes: number;
  /** The hub's limit. */
  readonly maxBytes: number;
  /** Reservations refused so far. */
  readonly refusals: number;
  /**
   * The milliseconds after which a refused call may be repeated. They are random, so that calls refused together do not
   * return together.
   */
  retryAfterMs(): number;
  /** Starts counting for a socket or an answer. Its bytes may exceed the budget. */
  open(agentId: string): Unsent;
  /**
   * Reserves memory for an answer. Resolves with null at once when unsent output leaves too little. If only other
   * reservations use the memory, it waits for them, in order of arrival, and resolves with null after `maxWaitMs`.
   */
  reserve(agentId: string, bytes: number): Promise<Unsent | null>;
  /** True when the agent or the hub holds more than its budget. */
  isOver(agentId: string): boolean;
}

export interface UnsentBudgetOptions {
  /** Per agent. @default 16 MiB */
  readonly agentBytes?: number;
  /** Per hub. @default a quarter of the heap's limit */
  readonly hubBytes?: number;
  /** @default 2_000 */
  readonly maxWaitMs?: number;
  /** Reservations that may wait, per agent and per hub; more are refused. @default 10_000 */
  readonly maxWaiting?: number;
  /** A number from 0 to below 1, for the time of the next attempt. @default Math.random */
  readonly random?: () => number;
}

/** The earliest time at which a refused call may be repeated; the latest is twice that. */
const retryMs = 1_000;

/** Creates the one budget of a hub. The cost of every operation is constant. */
export function createUnsentBudget({
  agentBytes = 16 * 1_048_576,
  hubBytes = Math.floor(getHeapStatistics().heap_size_limit / 4),
  maxWaitMs = 2_000,
  maxWaiting = 10_000,
  random = Math.random,
}: UnsentBudgetOptions = {}): UnsentBudget {
  const hub = new Pool(hubBytes, maxWaiting);
  /** Each agent's pool with the number of its users. It is removed with its last user. */
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
    retryAfterMs: () => retryMs + Math.floor(random() * retryMs),
    open: (agentId) => open(agentId, use(agentId), 0),
    isOver: (agentId) =>
      hub.bytes > hubBytes || (agents.get(agentId)?.pool.bytes ?? 0) > agentBytes,
    async reserve(agentId, bytes) {
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

interface Waiter {
  readonly bytes: number;
  readonly end: (isGranted: boolean) => void;
}

/** One limit, the bytes that are unsent or reserved under it, and the waiting reservations. */
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

  /** Reserves bytes, and waits for them until `endMs` if necessary. Resolves with false when they were refused. */
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

  /** True when only reading peers can free enough memory, not the end of a reservation. */
  #isFull(bytes: number): boolean {
    return this.#unsent > 0 && this.#unsent + bytes > this.#max;
  }

  #take(bytes: number): boolean {
    // A single answer is always allowed; otherwise a small budget would allow none at all.
    if (this.bytes > 0 && this.bytes + bytes > this.#max) return false;
    this.#reserved += bytes;
    return true;
  }
}
