import { join } from 'node:path';
import { startHub, type HubProcess } from './hub.ts';
import { temporaryFolder } from './processes.ts';

/** Two hubs, each a process of its own, on one database and one Redis. */
export interface HubPair extends AsyncDisposable {
  readonly hubs: readonly [HubProcess, HubProcess];
  stop(): Promise<void>;
}

/** Starts both, on a SQLite file of their own unless the environment names a database. `second` overrides for the second hub. */
export async function startHubPair(
  env: Readonly<Record<string, string>>,
  second: Readonly<Record<string, string>> = {},
): Promise<HubPair> {
  const folder = await temporaryFolder('hubs');
  const shared = { HUB_DB_URL: `sqlite:${join(folder.path, 'hub.sqlite')}`, ...env };
  // One after the other: the first makes the tables, and two starts at once would only wait for each other.
  const first = await startHub({ env: shared });
  const other = await startHub({ env: { ...shared, ...second } }).catch(async (error: unknown) => {
    await first.stop();
    throw error;
  });
  async function stop() {
    await Promise.all([first.stop(), other.stop()]);
    await folder.remove();
  }

  return {
    hubs: [first, other],
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** One number of a hub's `/metrics`; null when it is not there. */
export async function hubMetric(hub: HubProcess, name: string): Promise<number | null> {
  const text = await (await fetch(`${hub.httpUrl}/metrics`)).text();
  const found = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1];
  return found === undefined ? null : Number(found);
}

/** Whether a hub uses Redis now. */
export async function usesRedis(hub: HubProcess): Promise<boolean> {
  return (await hubMetric(hub, 'hub_redis_available')) === 1;
}

/** What a hub's `/readyz` says of its Redis. */
export interface ReportedRedis {
  readonly status: 'ok' | 'down';
  readonly breaker: 'closed' | 'open' | 'half_open';
  readonly subscriber: {
    readonly connected: boolean;
    /** Topics that Redis has not confirmed. */
    readonly unconfirmed: number;
    readonly reconnects: number;
  };
}

/** A hub's own report, ready or not. */
export async function readyReport(hub: HubProcess): Promise<{
  readonly ready: boolean;
  readonly database: { readonly status: 'ok' | 'down' };
  readonly redis: ReportedRedis;
}> {
  const response = await fetch(`${hub.httpUrl}/readyz`);
  return (await response.json()) as Awaited<ReturnType<typeof readyReport>>;
}

/** What a hub reports of its Redis. */
export async function redisHealth(hub: HubProcess): Promise<ReportedRedis> {
  return (await readyReport(hub)).redis;
}
