import { getHeapStatistics } from 'node:v8';

/** The memory that one socket or one answer holds until its peer has taken it. */
export interface Unsent {
  /** Sets what it holds now. A reservation is thereby replaced by the answer's real size. */
  settle(bytes: number): void;
  /** Sets it to nothing, for good; further calls do nothing. */
  release(): void;
}

/**
 * The memory that unsent output may take, per agent over all its sockets and requests on this hub, and per hub. A bulky
 * call reserves room for its answer before it reads anything, so that calls side by side cannot overshoot.
 */
export interface UnsentBudget {
  /** Bytes held or reserved now. */
  readonly bytes: number;
  /** Reservations refused so far. */
  readonly refusals: number;
  /** When a refused call may be repeated: another time for each, so that calls refused together do not return together. */
  retryAfterMs(): number;
  /** Begins to count the bytes of a socket or an answer, even beyond the budget. */
  open(agentId: string): Unsent;
  /**
   * Reserves room for an answer. Null when unsent output leaves too little room. While only other reservations are in the
   * way, it waits for them in order of arrival, at most `maxWaitMs`, and is null after that.
   */
  reserve(agentId: string, bytes: number): Promise<Unsent | null>;
  /** True when the agent or the hub holds more than its budget. */
  isOver(agentId: string): boolean;
}

/** Options of {@link createUnsentBudget}. */
export interface UnsentBudgetOptions {
  /** Per agent. @default 16 MiB */
  readonly agentBytes?: number;
  /** Per hub. @default a quarter of the heap's limit */
  readonly hubBytes?: number;
  /** How long a reservation waits for others. @default 2_000 */
  readonly maxWaitMs?: number;
  /** Reservations that may wait for the same room; further ones are refused. @default 10_000 */
  readonly maxWaiting?: number;
  /** A number from 0 to below 1, for the time of the next attempt. @default Math.random */
  readonly random?: () => number;
}

/** The earliest time at which a refused call may be repeated; the latest is twice that. */
const retryMs = 1_000;

/** Creates the one budget of a hub. Every operation costs the same, however much is held and however many hold it. */
export function createUnsentBudget({
  agentBytes = 16 * 1_048_576,
  hubBytes = Math.floor(getHeapStatistics().heap_size_limit / 4),
  maxWaitMs = 2_000,
  maxWaiting = 10_000,
  random = Math.random,
}: UnsentBudgetOptions = {}): UnsentBudget {
  const hub = new Pool(hubBytes, maxWaiting);
  /** Each agent's share, and how many use it: it is forgotten with the last. */
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

  function hold(agentId: string, agent: Pool, reservedBytes: number): Unsent {
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
    get refusals() {
      return refusals;
    },
    retryAfterMs: () => retryMs + Math.floor(random() * retryMs),
    open: (agentId) => hold(agentId, use(agentId), 0),
    isOver: (agentId) =>
      hub.bytes > hubBytes || (agents.get(agentId)?.pool.bytes ?? 0) > agentBytes,
    async reserve(agentId, bytes) {
      const agent = use(agentId);
      const endMs = performance.now() + maxWaitMs;
      if (await agent.enter(bytes, endMs)) {
        if (await hub.enter(bytes, endMs)) return hold(agentId, agent, bytes);
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

/** One limit: the bytes unsent and reserved under it, and the reservations that wait for room. */
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

  /** Resolves with whether the bytes are reserved. */
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

  /** True when only peers that read can make room, and no end of a reservation. */
  #isFull(bytes: number): boolean {
    return this.#unsent > 0 && this.#unsent + bytes > this.#max;
  }

  #take(bytes: number): boolean {
    // One answer alone always has room, or a small budget would allow none.
    if (this.bytes > 0 && this.bytes + bytes > this.#max) return false;
    this.#reserved += bytes;
    return true;
  }
}
