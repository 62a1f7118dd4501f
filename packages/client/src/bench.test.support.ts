import { createClient, type Discontinuity, type Envelope, type HubClient } from './index.ts';

export interface Subscriber {
  readonly client: HubClient;
  readonly events: Envelope[];
  readonly discontinuities: Discontinuity[];
  readonly states: string[];
  tokens: number;
}

export interface Bench {
  subscriber(name: string): Subscriber;
  /** Connects with these tokens in turn. The last one is repeated. */
  connect(name: string, url: string, tokens: readonly string[]): Subscriber;
  until(condition: () => boolean, what: string): Promise<void>;
  clear(): Promise<void>;
}

export function createBench(): Bench {
  const subscribers = new Map<string, Subscriber>();
  return {
    subscriber(name) {
      const subscriber = subscribers.get(name);
      if (subscriber === undefined) throw new Error(`There is no subscriber ${name}`);
      return subscriber;
    },
    connect(name, url, tokens) {
      // With two clients of one name, only one would be closed.
      if (subscribers.has(name)) throw new Error(`There is a subscriber ${name} already`);
      const client = createClient({
        url,
        getToken() {
          subscriber.tokens += 1;
          return tokens[Math.min(subscriber.tokens, tokens.length) - 1] as string;
        },
        backoffMinMs: 20,
        backoffMaxMs: 200,
        callTimeoutMs: 30_000,
        queueMax: 10_000,
      });
      const subscriber: Subscriber = {
        client,
        events: [],
        discontinuities: [],
        states: [],
        tokens: 0,
      };
      client.on('event', (envelope) => subscriber.events.push(envelope));
      client.on('discontinuity', (discontinuity) => subscriber.discontinuities.push(discontinuity));
      client.on('state', ({ state }) => subscriber.states.push(state));
      subscribers.set(name, subscriber);
      return subscriber;
    },
    async until(condition, what) {
      const endMs = Date.now() + 20_000;
      while (!condition()) {
        if (Date.now() > endMs) throw new Error(`${what} did not come true`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async clear() {
      await Promise.all([...subscribers.values()].map(({ client }) => client.close()));
      subscribers.clear();
    },
  };
}
