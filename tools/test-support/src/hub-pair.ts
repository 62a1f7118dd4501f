import { join } from 'node:path';
import { startHub, type HubProcess } from './hub.ts';
import { temporaryFolder } from './processes.ts';

export interface HubPair extends AsyncDisposable {
  readonly hubs: readonly [HubProcess, HubProcess];
  stop(): Promise<void>;
}

/** Uses a new SQLite file unless `env` has HUB_DB_URL. `second` overrides variables of the second hub. */
export async function startHubPair(
  env: Readonly<Record<string, string>>,
  second: Readonly<Record<string, string>> = {},
): Promise<HubPair> {
  const folder = await temporaryFolder('hubs');
  const shared = { HUB_DB_URL: `sqlite:${join(folder.path, 'hub.sqlite')}`, ...env };
  // The first hub creates the tables, so the hubs start in sequence.
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

/** Null if the hub has no metric of that name. */
export async function hubMetric(hub: HubProcess, name: string): Promise<number | null> {
  const text = await (await fetch(`${hub.httpUrl}/metrics`)).text();
  const found = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1];
  return found === undefined ? null : Number(found);
}

export async function usesRedis(hub: HubProcess): Promise<boolean> {
  return (await hubMetric(hub, 'hub_redis_available')) === 1;
}

export interface ReportedRedis {
  readonly status: 'ok' | 'down';
  readonly breaker: 'closed' | 'open' | 'half_open';
  readonly subscriber: {
    readonly connected: boolean;
    readonly unconfirmed: number;
    readonly reconnects: number;
  };
}

export async function readyReport(hub: HubProcess): Promise<{
  readonly ready: boolean;
  readonly reason: string | null;
  readonly degraded: boolean;
  readonly database: { readonly status: 'ok' | 'refusing_writes' | 'down' };
  readonly redis: ReportedRedis;
}> {
  const response = await fetch(`${hub.httpUrl}/readyz`);
  return (await response.json()) as Awaited<ReturnType<typeof readyReport>>;
}

export async function redisHealth(hub: HubProcess): Promise<ReportedRedis> {
  return (await readyReport(hub)).redis;
}
