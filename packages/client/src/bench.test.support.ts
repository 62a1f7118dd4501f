import { createClient, type Discontinuity, type Envelope, type HubClient } from './index.ts';

/** One agent's client, and all that it was told. */
export interface Seat {
  readonly client: HubClient;
  readonly events: Envelope[];
  readonly discontinuities: Discontinuity[];
  readonly states: string[];
  /** How many tokens it asked for. */
  tokens: number;
}

/** Where the contract's scripts act: in this process or in a page. It has no other way to reach what they made. */
export interface Bench {
  /** The seat of that name, made earlier. */
  seat(name: string): Seat;
  /** Connects an agent with these tokens, one after another; the last serves for good. */
  connect(name: string, url: string, tokens: readonly string[]): Seat;
  /** Waits until the condition holds. */
  until(condition: () => boolean, what: string): Promise<void>;
  /** Closes every client. */
  clear(): Promise<void>;
}

/** A bench without seats. */
export function createBench(): Bench {
  const seats = new Map<string, Seat>();
  return {
    seat(name) {
      const seat = seats.get(name);
      if (seat === undefined) throw new Error(`There is no seat ${name}`);
      return seat;
    },
    connect(name, url, tokens) {
      // Whom nobody can reach nobody closes.
      if (seats.has(name)) throw new Error(`The seat ${name} is taken`);
      const client = createClient({
        url,
        getToken() {
          seat.tokens += 1;
          return tokens[Math.min(seat.tokens, tokens.length) - 1] as string;
        },
        ...{ backoffMinMs: 20, backoffMaxMs: 200, callTimeoutMs: 30_000, queueMax: 10_000 },
      });
      const seat: Seat = { client, events: [], discontinuities: [], states: [], tokens: 0 };
      client.on('event', (envelope) => seat.events.push(envelope));
      client.on('discontinuity', (discontinuity) => seat.discontinuities.push(discontinuity));
      client.on('state', ({ state }) => seat.states.push(state));
      seats.set(name, seat);
      return seat;
    },
    async until(condition, what) {
      const endMs = Date.now() + 20_000;
      while (!condition()) {
        if (Date.now() > endMs) throw new Error(`${what} did not come true`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async clear() {
      await Promise.all([...seats.values()].map(({ client }) => client.close()));
      seats.clear();
    },
  };
}
