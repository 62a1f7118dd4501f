import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import {
  createAppRole,
  freePort,
  startPostgres,
  temporaryFolder,
  type PostgresServer,
} from '@openclaw/test-support';
import type { Scope } from '@openclaw/test-support/scopes';
import { root } from '../repository.ts';
import { startComposeStub, type Service } from './compose-stub.ts';
import { startHubService, type HubService } from './hub-service.ts';
import { startLoad, type Load } from './load.ts';
import { startMonitoring, type MonitoringStack } from './monitoring-stack.ts';
import { startProductionRedis, type ProductionRedis } from './production-redis.ts';

export interface World {
  readonly postgres: PostgresServer;
  readonly databaseUrl: string;
  readonly redis: ProductionRedis;
  readonly hubs: readonly HubService[];
  /** The drills break this hub, which has no load. Runbooks call it `hub`. */
  readonly drilledHub: HubService;
  readonly load: Load;
  readonly monitoring: MonitoringStack;
  /** Makes Prometheus scrape all hubs and the Redis of this world, and no other hub or Redis. */
  watchAll(): Promise<void>;
  run(commands: string, env: Readonly<Record<string, string>>): Promise<Outcome>;
}

export interface Outcome {
  readonly code: number;
  readonly output: string;
}

export const hubSecret = 'of-the-drilled-hub-'.repeat(3);
const commandsTimeoutMs = 90_000;
// The hubs refuse nothing, unless a drill needs a refusal.
const noLimit = '1000000/60';

interface Server {
  readonly port: number;
  restart(): Promise<void>;
  kill(): Promise<void>;
}

interface Program {
  start(): Promise<void>;
  stop(): Promise<void>;
  output?(): string;
}

/** Resolves with true also for a frozen process. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
  });
}

export async function startWorld(scope: Scope): Promise<World> {
  // fsync is off, so that a slow disk of this machine fires no alert.
  const postgres = await scope.use(
    startPostgres(['max_connections=80', 'max_prepared_transactions=4', 'fsync=off']),
  );
  const databaseUrl = createAppRole(postgres);
  const redis = await scope.use(startProductionRedis());
  const env = {
    HUB_DB_URL: databaseUrl,
    REDIS_URL: redis.hubUrl,
    HUB_LIMIT_MESSAGE: noLimit,
    HUB_LIMIT_REACTION: noLimit,
    HUB_LIMIT_TYPING: noLimit,
    LOG_LEVEL: 'warn',
  };
  const start = async (more: Readonly<Record<string, string>>) => {
    const opsPort = await freePort();
    const ports = { HUB_OPS_PORT: String(opsPort) };
    return scope.use(startHubService({ ...env, ...ports, ...more }, opsPort));
  };
  const hubs = [await start({}), await start({})];
  const drilledHub = await start({
    NODE_ENV: 'production',
    HUB_HOST: '127.0.0.1',
    HUB_JWT_SECRET: hubSecret,
  });
  const everyHub = [...hubs, drilledHub].map(({ opsAddress }) => opsAddress);
  postgres.query('create role exporter login in role pg_monitor');
  const monitoring = await scope.use(
    startMonitoring({
      hubs: everyHub,
      redisUrls: [redis.plainUrl],
      postgresUrl: postgres.url.replace('hub@', 'exporter@'),
    }),
  );
  const load = await scope.use(startLoad(hubs.map(({ hub }) => hub.url)));

  const service = (server: Server): Service => ({
    // As with Compose, `up` does not restart a running server, even one that hangs.
    async up() {
      if (!(await accepts(server.port))) await server.restart();
    },
    async restart() {
      await server.kill();
      await server.restart();
    },
  });
  const program = (server: Program): Service => ({
    up: () => server.start(),
    output: () => server.output?.() ?? '',
    async restart() {
      await server.stop();
      await server.start();
    },
  });
  const services = new Map<string, Service>([
    ['hub', drilledHub],
    ['redis', service(redis)],
    ['postgres', service(postgres)],
    ['redis-exporter', program(monitoring.redisExporter)],
    ['postgres-exporter', program(monitoring.postgresExporter)],
    ['node-exporter', program(monitoring.nodeExporter)],
    [
      'alertmanager',
      {
        ...program(monitoring.alertmanager),
        async up({ ALERT_WEBHOOK_TOKEN: token }) {
          if (token !== undefined) {
            await monitoring.setWebhookToken(token);
            await monitoring.alertmanager.stop();
          }
          await monitoring.alertmanager.start();
        },
      },
    ],
    ['prometheus', program(monitoring.prometheus)],
    ['alert-receiver', program(monitoring.receiver)],
  ]);
  const folder = await scope.use(temporaryFolder('drill'));
  const stub = await scope.use(startComposeStub(folder.path, services));

  const world: World = {
    postgres,
    databaseUrl,
    redis,
    hubs,
    drilledHub,
    load,
    monitoring,
    async watchAll() {
      await monitoring.setHubs(everyHub);
      await monitoring.setRedisNodes([redis.plainUrl]);
    },
    run(commands, more) {
      const { PATH = '', HOME } = process.env;
      return new Promise((resolve) => {
        const child = execFile(
          'bash',
          ['-c', commands],
          {
            cwd: root,
            timeout: commandsTimeoutMs,
            env: {
              PATH: [stub.env.folder, join(root, 'node_modules/.bin'), PATH].join(delimiter),
              HOME,
              DRILL_COMPOSE: stub.env.DRILL_COMPOSE,
              API: drilledHub.hub.httpUrl,
              HUB_HOST: '127.0.0.1',
              HUB_PORT: String(drilledHub.hub.port),
              HUB_OPS_PORT: drilledHub.opsAddress.replace(/^.*:/, ''),
              HUBS: everyHub.join(', '),
              HUB: `http://${drilledHub.opsAddress}`,
              HUB_DB_URL: databaseUrl,
              DB_ADMIN_URL: postgres.url,
              REDIS_URL: redis.url,
              PROMETHEUS: monitoring.prometheusUrl,
              ALERTMANAGER: monitoring.alertmanagerUrl,
              TARGETS: monitoring.targetsFolder,
              BACKUPS: monitoring.backupsFolder,
              PGCONNECT_TIMEOUT: '5',
              ...more,
            },
          },
          (error, stdout, stderr) =>
            resolve({
              code: error ? (child.exitCode ?? 1) : 0,
              output: `${stdout}${stderr}`,
            }),
        );
      });
    },
  };
  // Without a backup, the alert BackupMissing would fire.
  const backup = await world.run('npm run backup -- --to "$BACKUPS"', {});
  if (backup.code !== 0) throw new Error(`the first backup failed: ${backup.output}`);
  return world;
}
