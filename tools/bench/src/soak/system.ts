import { rm } from 'node:fs/promises';
import {
  startHub,
  startPostgres,
  startSentinel,
  startTcpLink,
  temporaryFolder,
  type HubProcess,
  type PostgresServer,
  type SentinelDeployment,
  type TcpLink,
} from '@openclaw/test-support';
import { startSoakRedis, type SoakRedis } from './soak-redis.ts';

export interface SystemOptions {
  readonly db: 'sqlite' | 'postgres';
  readonly redis: 'single' | 'sentinel';
  readonly hubs: number;
}

export const channelIdsOf = (channels: number): string[] =>
  Array.from({ length: channels }, (_, index) => `room-${index + 1}`);

export interface HubSite {
  readonly name: string;
  readonly hub: HubProcess;
  readonly clientLink: TcpLink;
  /** The link is null with Sentinel, which hands out the servers' own addresses. */
  readonly redisLink: TcpLink | null;
}

export interface HubState {
  readonly isReady: boolean;
  readonly isRedisOk: boolean;
}

export interface System {
  readonly options: SystemOptions;
  readonly channelIds: readonly string[];
  readonly folder: string;
  readonly sites: readonly HubSite[];
  readonly redis: SoakRedis | null;
  readonly sentinel: SentinelDeployment | null;
  readonly postgres: PostgresServer | null;
  stateOf(site: HubSite): Promise<HubState>;
  isWhole(): Promise<boolean>;
  stop(keepFolder: boolean): Promise<void>;
}

const noLimit = '1000000/60';
// The limit allows more calls than any agent of the fleet makes, but fewer than a flood.
const callLimit = '2000/2';

export async function startSystem(
  options: SystemOptions,
  channelIds: readonly string[],
): Promise<System> {
  const { path: folder } = await temporaryFolder('soak');
  const redis = options.redis === 'single' ? await startSoakRedis(folder) : null;
  const sentinel = options.redis === 'sentinel' ? await startSentinel() : null;
  const postgres = options.db === 'postgres' ? await startPostgres() : null;

  async function createSite(index: number): Promise<HubSite> {
    const name = `hub-${index + 1}`;
    const redisLink = redis && (await startTcpLink(redis.port));
    const redisEnv: Record<string, string> = redisLink
      ? { REDIS_URL: `redis://127.0.0.1:${redisLink.port}` }
      : {
          CHAT_REDIS_SENTINELS: (sentinel?.sentinels ?? [])
            .map(({ host, port }) => `${host}:${port}`)
            .join(','),
          CHAT_REDIS_SENTINEL_NAME: sentinel?.name ?? '',
        };
    const env = {
      ...redisEnv,
      HUB_DB_URL: postgres?.url ?? `sqlite:${folder}/hub.sqlite`,
      HUB_LIMIT_MESSAGE: noLimit,
      HUB_LIMIT_REACTION: noLimit,
      HUB_LIMIT_TYPING: noLimit,
      HUB_LIMIT_CALLS: callLimit,
      HUB_LIMIT_CREATE: noLimit,
      HUB_AGENT_LOOP: '0',
      HUB_AGENT_TURNS: '0',
      LOG_LEVEL: 'info',
    };
    const hub = await startHub({ env, logFile: `${folder}/${name}.log` });
    return { name, hub, redisLink, clientLink: await startTcpLink(hub.port) };
  }

  const sites: HubSite[] = [];
  // The first hub creates the tables, so the hubs start in sequence.
  for (let i = 0; i < options.hubs; i += 1) sites.push(await createSite(i));

  async function stateOf({ hub }: HubSite): Promise<HubState> {
    try {
      const response = await fetch(`${hub.httpUrl}/readyz`, {
        signal: AbortSignal.timeout(1_000),
      });
      const { database, redis } = (await response.json()) as Record<
        'database' | 'redis',
        { status: string }
      >;
      const isReady = response.ok && database.status === 'ok';
      return { isReady, isRedisOk: redis.status === 'ok' };
    } catch {
      return { isReady: false, isRedisOk: false };
    }
  }

  return {
    options,
    channelIds,
    folder,
    sites,
    redis,
    sentinel,
    postgres,
    stateOf,
    async isWhole() {
      const states = await Promise.all(sites.map(stateOf));
      return states.every(({ isReady, isRedisOk }) => isReady && isRedisOk);
    },
    async stop(keepFolder) {
      await Promise.all(sites.map(({ hub }) => hub.kill().then(() => hub.stop())));
      const links = sites.flatMap(({ clientLink, redisLink }) => [clientLink, redisLink]);
      const parts = [...links, redis, sentinel, postgres];
      await Promise.all(parts.map(async (part) => part?.stop()));
      if (!keepFolder) await rm(folder, { recursive: true, force: true });
    },
  };
}
