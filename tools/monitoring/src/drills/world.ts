import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import {
  startPostgres,
  startRedis,
  temporaryFolder,
  type PostgresServer,
  type RedisServer,
} from '@openclaw/test-support';
import type { Scope } from '@openclaw/test-support/scopes';
import { root } from '../repository.ts';
import { startComposeStub, type Service } from './compose-stub.ts';
import { startHubService, type HubService } from './hub-service.ts';
import { startLoad, type Load } from './load.ts';
import { startMonitoring, type MonitoringStack } from './monitoring-stack.ts';

/** A deployment under load, and its monitoring. */
export interface World {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  /** The hubs with the load. */
  readonly hubs: readonly HubService[];
  /** A hub without load, which the drills break. Runbooks call it `hub`. */
  readonly patient: HubService;
  readonly load: Load;
  readonly monitoring: MonitoringStack;
  /** Makes Prometheus scrape these hubs and this Redis, and nothing else. */
  watchAll(): Promise<void>;
  /** Runs commands of a runbook from the repository's root. */
  run(commands: string, env: Readonly<Record<string, string>>): Promise<Outcome>;
}

export interface Outcome {
  readonly code: number;
  readonly output: string;
}

const commandsTimeoutMs = 90_000;
// Nothing is refused, and no agent barred, unless a drill wants it.
const noLimit = '1000000/60';

/** Starts everything within the scope. */
export async function startWorld(scope: Scope): Promise<World> {
  // Without fsync, a slow disk of the test machine fires no alert.
  const postgres = await scope.use(startPostgres(['max_connections=80', 'fsync=off']));
  const redis = await scope.use(startRedis());
  const env = {
    HUB_DB_URL: postgres.url,
    REDIS_URL: redis.url,
    HUB_LIMIT_MESSAGE: noLimit,
    HUB_LIMIT_REACTION: noLimit,
    HUB_LIMIT_TYPING: noLimit,
    LOG_LEVEL: 'warn',
  };
  // One after the other, because the first hub creates the tables.
  const hubs = [await scope.use(startHubService(env)), await scope.use(startHubService(env))];
  const patient = await scope.use(startHubService(env));
  const everyHub = [...hubs, patient].map(({ hub }) => `127.0.0.1:${hub.port}`);
  const monitoring = await scope.use(
    startMonitoring({ hubs: everyHub, redisUrls: [redis.url], postgresUrl: postgres.url }),
  );
  const load = await scope.use(startLoad(hubs.map(({ hub }) => hub.url)));

  const always = (restart: () => Promise<void>): Service => ({ up: restart, restart });
  // The server may still run or be frozen, and keep its port, so that a second one could not start there.
  const service = (server: { restart(): Promise<void>; kill(): Promise<void> }) =>
    always(async () => {
      await server.kill();
      await server.restart();
    });
  const program = (server: { start(): Promise<void>; stop(): Promise<void> }): Service => ({
    up: () => server.start(),
    async restart() {
      await server.stop();
      await server.start();
    },
  });
  const nothing = always(() => Promise.resolve());
  const services = new Map<string, Service>([
    ['hub', patient],
    ['redis', service(redis)],
    ['postgres', service(postgres)],
    ['redis-exporter', program(monitoring.redisExporter)],
    ['postgres-exporter', program(monitoring.postgresExporter)],
    ['node-exporter', program(monitoring.nodeExporter)],
    ['alertmanager', nothing],
    ['alert-receiver', program(monitoring.receiver)],
  ]);
  const folder = await scope.use(temporaryFolder('drill'));
  const stub = await scope.use(startComposeStub(folder.path, services));

  const world: World = {
    postgres,
    redis,
    hubs,
    patient,
    load,
    monitoring,
    async watchAll() {
      await monitoring.setHubs(everyHub);
      await monitoring.setRedisNodes([redis.url]);
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
              HUB: patient.hub.httpUrl,
              HUB_PORT: String(patient.hub.port),
              HUB_DB_URL: postgres.url,
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
  // Without a backup BackupMissing would fire.
  const backup = await world.run('npm run backup -- --to "$BACKUPS"', {});
  if (backup.code !== 0) throw new Error(`the first backup failed: ${backup.output}`);
  return world;
}
