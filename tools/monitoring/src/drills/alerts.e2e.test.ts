import { renameSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, it } from '@jest/globals';
import {
  connectRpc,
  createCertificateAuthority,
  freePort,
  freezePostgres,
  holdLocks,
  installCertificate,
  mountSmallDisk,
  restartAsStandby,
  serveOverTls,
  signToken,
  startProcess,
  startTcpLink,
  temporaryFolder,
  waitFor,
  type RedisServer,
} from '@openclaw/test-support';
import { suiteScope, testScope } from '@openclaw/test-support/scopes';
import { readAlerts } from '../alert-rules.ts';
import { describeWith } from '../programs.ts';
import { readAdminTokenCommand, readRunbook, type Runbook } from '../runbook.ts';
import {
  openRedisConnections,
  openSessions,
  startKnocking,
  startLoopingAgent,
  startSlowScripts,
  startStarving,
  startWriter,
} from './faults.ts';
import type { HubService } from './hub-service.ts';
import { webhookToken } from './monitoring-stack.ts';
import { adminAuth, replicationPassword, startProductionRedis } from './production-redis.ts';
import { hubSecret, startWorld, type World } from './world.ts';

const suite = suiteScope();
const scope = testScope();
const firesWithinMs = 90_000;
const resolvesWithinMs = 150_000;
const drillTimeoutMs = 420_000;

interface Fault {
  readonly env?: Readonly<Record<string, string>>;
  /**
   * False if this machine cannot cause the fault.
   * @default true
   */
  readonly isCaused?: boolean;
}

interface Drill {
  readonly alerts: readonly [string, ...string[]];
  readonly fault: string;
  /**
   * Maps an alert to the indexes of the blocks that end this fault. The blocks are in the section "End" of the runbook.
   * @default the first
   */
  readonly blocks?: Readonly<Record<string, readonly number[]>>;
  cause(world: World): Promise<Fault | void>;
}

const lockEvery = `do $$ begin loop
  lock table messages in access exclusive mode; perform pg_sleep(0.3); commit; perform pg_sleep(0.05);
end loop; end $$`;

const beginThousands = `do $$ begin
  perform set_config('synchronous_commit', 'off', false);
  for i in 1..11000 loop commit; perform pg_current_xact_id(); end loop; end $$`;

const drills: readonly Drill[] = [
  {
    alerts: ['HubDown'],
    fault: 'a hub is killed',
    cause: ({ drilledHub }) => drilledHub.kill(),
  },
  {
    alerts: ['HubDown'],
    fault: 'a hub hangs',
    blocks: { HubDown: [1] },
    async cause({ drilledHub }) {
      drilledHub.hub.freeze();
    },
  },
  {
    alerts: ['HubsMissing'],
    fault: 'the file that names the hubs is empty',
    cause: ({ monitoring }) => monitoring.setHubs([]),
  },
  {
    alerts: ['HubRestarts'],
    fault: 'a hub crashes three times',
    async cause({ drilledHub, monitoring }) {
      const expr = `process_start_time_seconds{instance="${drilledHub.opsAddress}"}`;
      const startedAt = async () => (await monitoring.query(expr))[0]?.value[1];
      for (let crash = 0; crash < 3; crash += 1) {
        const before = await waitFor(startedAt, { what: 'a scrape of the hub', timeoutMs: 20_000 });
        await drilledHub.kill();
        await drilledHub.up({});
        await waitFor(async () => ![before, undefined].includes(await startedAt()), {
          what: 'Prometheus to see the start',
          everyMs: 200,
          timeoutMs: 20_000,
        });
      }
    },
  },
  {
    alerts: ['HubDrainsTooLong'],
    fault: 'the delay of a drain is ten minutes',
    async cause({ drilledHub }) {
      await drilledHub.configure({ HUB_DRAIN_DELAY_MS: '600000' });
      scope.defer(() => drilledHub.configure({}));
      process.kill(drilledHub.hub.pid, 'SIGTERM');
    },
  },
  {
    alerts: ['HubEventLoopBusy'],
    fault: 'a hub gets too little of its core',
    async cause({ drilledHub }) {
      scope.defer(startStarving(() => drilledHub.hub.pid));
    },
  },
  {
    alerts: ['PostgresDown', 'HubDatabaseDown', 'HubErrorBudgetBurns'],
    fault: 'PostgreSQL crashes',
    cause: ({ postgres }) => postgres.kill(),
  },
  {
    alerts: ['HubDatabaseDown'],
    fault: 'PostgreSQL hangs',
    blocks: { HubDatabaseDown: [1] },
    async cause({ postgres }) {
      scope.defer(freezePostgres(postgres));
    },
  },
  {
    alerts: ['HubDatabaseDown'],
    fault: 'PostgreSQL is a standby',
    blocks: { HubDatabaseDown: [2] },
    async cause({ postgres }) {
      await restartAsStandby(postgres);
    },
  },
  {
    alerts: ['HubDatabaseDown'],
    fault: 'one hub still has the former address of PostgreSQL',
    blocks: { HubDatabaseDown: [3] },
    async cause({ postgres, drilledHub, databaseUrl }) {
      const former = await scope.use(startTcpLink(postgres.port));
      const folder = await scope.use(temporaryFolder('secret'));
      const secret = join(folder.path, 'database-url');
      await writeFile(secret, databaseUrl.replace(String(postgres.port), String(former.port)));
      await drilledHub.configure({ HUB_DB_URL: '', HUB_DB_URL_FILE: secret });
      scope.defer(() => drilledHub.configure({}));
      await writeFile(secret, databaseUrl);
      former.refuse();
    },
  },
  {
    alerts: ['HubStartsTooLong'],
    fault: 'a hub starts while PostgreSQL is away',
    async cause({ postgres, drilledHub }) {
      await postgres.kill();
      await drilledHub.kill();
      void drilledHub.up({}).catch(() => undefined);
    },
  },
  {
    alerts: ['HubDatabaseSlow', 'HubAckBudgetBurns'],
    fault: 'another program keeps locking the messages',
    async cause({ postgres }) {
      const locker = startProcess('psql', ['-X', '-d', postgres.url, '-c', lockEvery], {
        env: { PATH: process.env['PATH'], PGAPPNAME: 'report' },
      });
      scope.defer(() => locker.stop());
    },
  },
  {
    alerts: ['HubDatabaseTransactionOpen'],
    fault: 'a transaction stays open while thousands begin',
    async cause({ postgres }) {
      scope.defer(await holdLocks(postgres, 'select pg_current_xact_id()'));
      postgres.query(beginThousands);
    },
  },
  {
    alerts: ['HubDatabaseTransactionOpen'],
    fault: 'a prepared transaction was abandoned',
    blocks: { HubDatabaseTransactionOpen: [1] },
    async cause({ postgres }) {
      const GID = 'abandoned';
      postgres.query(`begin; select pg_current_xact_id(); prepare transaction '${GID}'`);
      postgres.query(beginThousands);
      return { env: { GID } };
    },
  },
  {
    alerts: ['PostgresConnectionsNearLimit'],
    fault: 'a program leaks connections to PostgreSQL',
    async cause({ postgres }) {
      const connections = "from pg_stat_activity where backend_type = 'client backend'";
      const used = Number(postgres.query(`select count(*) ${connections}`));
      // Three of the 80 connections are reserved for superusers, such as the operator.
      scope.defer(await openSessions(postgres.port, 77 - used));
    },
  },
  {
    alerts: ['HubCertificateExpires'],
    fault: 'the certificate of Redis ends in two days',
    async cause({ drilledHub }) {
      const { authority, expiring, renewed } = await certificates();
      const tlsPort = await freePort();
      const redis = await scope.use(
        startProductionRedis({
          args: [
            ...['--tls-port', String(tlsPort), '--tls-auth-clients', 'no'],
            ...['--tls-cert-file', expiring.certificateFile, '--tls-key-file', expiring.keyFile],
            ...['--tls-ca-cert-file', authority.caFile],
          ],
        }),
      );
      await drilledHub.configure({
        REDIS_URL: redis.hubUrl.replace('redis:', 'rediss:').replace(/\d+$/, String(tlsPort)),
        CHAT_REDIS_TLS_CA_FILE: authority.caFile,
      });
      scope.defer(() => drilledHub.configure({}));
      return {
        env: {
          REDIS_URL: redis.url,
          NEW_CERT: renewed.certificateFile,
          NEW_KEY: renewed.keyFile,
        },
      };
    },
  },
  {
    alerts: ['HubCertificateExpires'],
    fault: 'the certificate of PostgreSQL ends in two days',
    blocks: { HubCertificateExpires: [1] },
    async cause({ postgres, drilledHub, databaseUrl }) {
      const { authority, expiring, renewed } = await certificates();
      scope.defer(serveOverTls(postgres, expiring));
      await drilledHub.configure({
        HUB_DB_URL: `${databaseUrl}?sslmode=verify-full&sslrootcert=${authority.caFile}`,
      });
      scope.defer(() => drilledHub.configure({}));
      const { certificateFile, keyFile } = installCertificate(postgres, 'renewed', renewed);
      return { env: { NEW_CERT: certificateFile, NEW_KEY: keyFile } };
    },
  },
  {
    alerts: ['RedisDown', 'HubRedisDown', 'HubDeliverySlow'],
    fault: 'Redis crashes',
    cause: ({ redis }) => redis.kill(),
  },
  {
    alerts: ['HubRedisDown'],
    fault: 'Redis hangs',
    blocks: { HubRedisDown: [1] },
    async cause({ redis }) {
      redis.freeze();
      scope.defer(() => redis.thaw());
    },
  },
  {
    alerts: ['HubRedisRefusesWrites'],
    fault: 'the user of the hubs may not write',
    blocks: { HubRedisRefusesWrites: [1] },
    async cause({ redis }) {
      await redis.command('ACL SETUSER default -@write');
    },
  },
  {
    alerts: ['HubRedisRefusesWrites'],
    fault: 'Redis has become a replica',
    blocks: { HubRedisRefusesWrites: [2] },
    async cause({ redis }) {
      await redis.command(`REPLICAOF 127.0.0.1 ${await freePort()}`);
    },
  },
  {
    alerts: ['HubRedisRefusesWrites'],
    fault: 'Redis is full and may not evict',
    async cause({ redis }) {
      await redis.command('CONFIG SET maxmemory-policy noeviction');
      // A large key fills the memory, because a much smaller maxmemory would also close connections: clients' buffers
      // may take only a tenth of it.
      await redis.command('SETRANGE other:dump 40000000 x');
      await redis.command('CONFIG SET maxmemory 30mb');
      scope.defer(() => redis.command('DEL other:dump'));
    },
  },
  {
    alerts: ['HubPublishPathDown'],
    fault: 'the user of the hubs has lost its channels',
    async cause({ redis }) {
      await redis.command('ACL SETUSER default resetchannels');
      await redis.command('CLIENT KILL TYPE pubsub');
    },
  },
  {
    alerts: ['HubPublishPathSlow', 'RedisSlowCommands'],
    fault: 'a program runs slow scripts in Redis',
    async cause({ redis }) {
      scope.defer(startSlowScripts(redis.port, adminAuth, 30));
    },
  },
  {
    alerts: ['RedisCpuBusy'],
    fault: 'a program leaves Redis no pause',
    async cause({ redis }) {
      scope.defer(startSlowScripts(redis.port, adminAuth, 30));
      // On a busy machine Redis may not get a core, and then its thread is not busy.
      const isBusy = await usesItsCore(redis);
      return { isCaused: isBusy };
    },
  },
  {
    alerts: ['RedisMemoryOverTarget'],
    fault: 'another program stores half a gigabyte',
    async cause({ redis }) {
      // Several commands fill the memory, so that Redis answers each in time.
      for (let part = 0; part < 7; part += 1)
        await redis.command(`SETRANGE other:dump-${part} 75000000 x`);
    },
  },
  {
    alerts: ['RedisEvictsKeys'],
    fault: 'Redis is smaller than what is written to it',
    async cause({ redis }) {
      await redis.command('CONFIG SET maxmemory-policy allkeys-lru');
      const used = /used_memory:(\d+)/.exec(await redis.command('INFO memory'))?.[1];
      await redis.command(`CONFIG SET maxmemory ${Number(used) + 2_000_000}`);
      scope.defer(startWriter(redis.port, adminAuth, 4_000));
    },
  },
  {
    alerts: ['RedisRejectsConnections'],
    fault: 'a program leaks connections to Redis',
    async cause({ redis }) {
      scope.defer(await openRedisConnections(redis.port, 100));
      const used = /connected_clients:(\d+)/.exec(await redis.command('INFO clients'))?.[1];
      // The number includes the connection that read the number. That connection then closes, so one slot stays free
      // for the exporter.
      await redis.command(`CONFIG SET maxclients ${Number(used)}`);
      scope.defer(startKnocking(redis.port));
      scope.defer(() => redis.command('CONFIG SET maxclients 10000'));
      return { env: { LEAK: '127.0.0.1' } };
    },
  },
  {
    alerts: ['RedisKeysWithoutExpiry'],
    fault: 'a program writes keys without a TTL',
    async cause({ redis }) {
      await redis.command(
        `EVAL "for i=1,1500 do redis.call('SET','openclaw:stray:'..i,i) end return 1" 0`,
      );
      return { env: { STRAY_KEYS: 'openclaw:stray:*' } };
    },
  },
  {
    alerts: ['RedisAppendOnlyFileFails'],
    fault: 'an unfinished rewrite has filled the disk of Redis',
    blocks: { RedisAppendOnlyFileFails: [0, 1] },
    async cause({ redis, monitoring }) {
      const disk = await scope.use(smallDisk());
      const kept = await scope.use(startProductionRedis({ dataFolder: disk.path }));
      await monitoring.setRedisNodes([redis.plainUrl, kept.plainUrl]);
      disk.fill();
      renameSync(join(disk.path, 'filler'), join(disk.path, 'temp-rewriteaof-1.aof'));
      // Redis writes the append-only file at the end of a command. After a failure, it refuses writes until it can
      // write the file.
      await waitFor(
        async () => /MISCONF/.test(await kept.command(`SET filler ${'x'.repeat(10_000)}`)),
        { what: 'a failed write of the append-only file', timeoutMs: 30_000, everyMs: 200 },
      );
      return { env: { REDIS_URL: kept.url, REDIS_DATA: disk.path } };
    },
  },
  {
    alerts: ['RedisSnapshotFails'],
    fault: 'unfinished snapshots have filled the disk of Redis',
    async cause({ redis, monitoring }) {
      const disk = await scope.use(smallDisk());
      const kept = await scope.use(startProductionRedis({ dataFolder: disk.path }));
      await monitoring.setRedisNodes([redis.plainUrl, kept.plainUrl]);
      await kept.command(`SET some ${'x'.repeat(10_000)}`);
      disk.fill();
      renameSync(join(disk.path, 'filler'), join(disk.path, 'temp-1.rdb'));
      await kept.command('BGSAVE');
      return { env: { REDIS_URL: kept.url, REDIS_DATA: disk.path } };
    },
  },
  {
    alerts: ['RedisReplicaDetached'],
    fault: 'a replica follows an address without a master',
    async cause({ redis, monitoring }) {
      const replica = await startReplica({ redis, monitoring });
      await replica.command(`REPLICAOF 127.0.0.1 ${await freePort()}`);
      return {
        env: {
          REPLICA_URL: replica.url,
          MASTER_HOST: '127.0.0.1',
          MASTER_PORT: String(redis.port),
        },
      };
    },
  },
  {
    alerts: ['RedisReplicaDetached'],
    fault: 'a replica has another password than its master',
    blocks: { RedisReplicaDetached: [1] },
    async cause({ redis, monitoring }) {
      const replica = await startReplica({ redis, monitoring });
      await replica.command('CONFIG SET masterauth of-nobody');
      await redis.command('CLIENT KILL TYPE replica');
      return {
        env: { REPLICA_URL: replica.url, REDIS_REPLICATION_PASSWORD: replicationPassword },
      };
    },
  },
  {
    alerts: ['HubConnectionsNearLimit'],
    fault: 'nearly all connections of a hub are open',
    async cause({ drilledHub }) {
      await drilledHub.configure({ HUB_MAX_CONNECTIONS: '40' });
      scope.defer(() => drilledHub.configure({}));
      for (let i = 0; i < 38; i += 1) await scope.use(connectTo(drilledHub, `crowd-${i}`));
    },
  },
  {
    alerts: ['HubConnectionsNearLimit'],
    fault: 'an agent opens connections and does not close them',
    blocks: { HubConnectionsNearLimit: [1] },
    async cause({ drilledHub }) {
      await drilledHub.configure({ HUB_MAX_CONNECTIONS: '40' });
      scope.defer(() => drilledHub.configure({}));
      for (let i = 0; i < 38; i += 1) await scope.use(connectTo(drilledHub, 'leaky'));
      return { env: { AGENT: 'leaky' } };
    },
  },
  {
    alerts: ['HubClientsLag'],
    fault: 'a client does not read',
    async cause({ drilledHub }) {
      const reader = await scope.use(connectTo(drilledHub, 'reader'));
      const writer = await scope.use(connectTo(drilledHub, 'writer'));
      await writer.call('channel.create', { channelId: 'lag', name: 'lag' });
      await reader.call('channel.join', { channelId: 'lag' });
      await reader.call('subscribe', { topics: [{ channelId: 'lag' }] });
      reader.ws.pause();
      const content = 'x'.repeat(30_000);
      for (let sent = 0; sent < 800; sent += 1)
        await writer.call('message.send', { channelId: 'lag', content });
    },
  },
  {
    alerts: ['HubAgentBarred'],
    fault: 'an agent calls in a loop',
    async cause({ drilledHub }) {
      await drilledHub.configure({ HUB_LIMIT_CALLS: '20/2' });
      scope.defer(() => drilledHub.configure({}));
      scope.defer(startLoopingAgent(drilledHub.hub.httpUrl, signToken(hubSecret, 'loop')));
      return { env: { AGENT: 'loop' } };
    },
  },
  {
    alerts: ['HubSignInsFail'],
    fault: 'the hub has another key than the issuer of tokens',
    async cause({ drilledHub }) {
      const secret = 'of-the-issuer-'.repeat(3);
      await drilledHub.configure({ HUB_JWT_SECRET: 'of-nobody-'.repeat(4) });
      scope.defer(() => drilledHub.configure({}));
      const headers = { authorization: `Bearer ${signToken(secret, 'anna')}` };
      const timer = setInterval(
        () =>
          void fetch(`${drilledHub.hub.httpUrl}/v1/channels`, { headers }).catch(() => undefined),
        150,
      );
      scope.defer(() => clearInterval(timer));
      return { env: { ISSUER_SECRET: secret } };
    },
  },
  {
    alerts: ['BackupTooOld'],
    fault: 'the timer of the backups has stopped hours ago',
    async cause({ monitoring }) {
      const path = join(monitoring.backupsFolder, 'openclaw_backup.prom');
      const threeHoursAgo = Math.floor(Date.now() / 1_000) - 3 * 3_600;
      const text = (await readFile(path, 'utf8')).replace(
        /^(openclaw_backup_last_success_timestamp_seconds) .*$/m,
        `$1 ${threeHoursAgo}`,
      );
      await writeFile(path, text);
    },
  },
  {
    alerts: ['BackupMissing'],
    fault: 'the folder of the backups was emptied',
    async cause({ monitoring }) {
      const folder = monitoring.backupsFolder;
      for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
    },
  },
  {
    alerts: ['BackupMissing'],
    fault: 'the file that names the node exporter is empty',
    blocks: { BackupMissing: [1] },
    async cause({ monitoring }) {
      await writeFile(join(monitoring.targetsFolder, 'node.yml'), '[]');
      return { env: { NODE_EXPORTER: monitoring.nodeExporter.address } };
    },
  },
  {
    alerts: ['MonitoringTargetDown'],
    fault: 'the exporter of Redis ends',
    cause: ({ monitoring }) => monitoring.redisExporter.stop(),
  },
  {
    alerts: ['AlertsNotDelivered'],
    fault: 'the receiver of alerts is away',
    async cause({ monitoring, drilledHub }) {
      await monitoring.receiver.stop();
      scope.defer(() => drilledHub.up({}));
      // A stopped hub fires an alert that cannot be delivered.
      await drilledHub.kill();
    },
  },
  {
    alerts: ['AlertsNotDelivered'],
    fault: 'the receiver of alerts has another token',
    blocks: { AlertsNotDelivered: [1] },
    async cause({ monitoring, drilledHub }) {
      const RECEIVER_TOKEN = 'a-new-one';
      monitoring.receiver.expect(RECEIVER_TOKEN);
      scope.defer(async () => {
        monitoring.receiver.expect(webhookToken);
        await monitoring.setWebhookToken(webhookToken);
        await drilledHub.up({});
      });
      await drilledHub.kill();
      return { env: { RECEIVER_TOKEN } };
    },
  },
];

/** The first certificate ends in two days; the second renews it. */
async function certificates() {
  const authority = await scope.use(createCertificateAuthority());
  const names = ['DNS:localhost', 'IP:127.0.0.1'];
  return {
    authority,
    expiring: authority.issue('expiring', ...names),
    renewed: authority.issueFor(90, 'renewed', ...names),
  };
}

function connectTo({ hub }: HubService, agentId: string) {
  const authorization = `Bearer ${signToken(hubSecret, agentId)}`;
  return connectRpc(`${hub.url}/v1/ws`, { headers: { authorization } });
}

async function startReplica({ redis, monitoring }: Pick<World, 'redis' | 'monitoring'>) {
  const replica = await scope.use(startProductionRedis({ masterPort: redis.port }));
  await monitoring.setRedisNodes([redis.plainUrl, replica.plainUrl]);
  await waitFor(
    async () => (await replica.command('INFO replication')).includes('master_link_status:up'),
    { what: 'the replica', timeoutMs: 30_000 },
  );
  return replica;
}

const cpuWindowMs = 14_000;
const cpuWindows = 3;

/** True if the main thread uses a larger share of its core than the alert's threshold. */
async function usesItsCore(redis: RedisServer): Promise<boolean> {
  const seconds = async () => {
    const info = await redis.command('INFO cpu');
    const of = (kind: string) =>
      Number(new RegExp(`used_cpu_${kind}_main_thread:([\\d.]+)`).exec(info)?.[1]);
    return { cpu: of('user') + of('sys'), at: performance.now() / 1_000 };
  };
  for (let window = 0; window < cpuWindows; window += 1) {
    const start = await seconds();
    await delay(cpuWindowMs);
    const end = await seconds();
    if ((end.cpu - start.cpu) / (end.at - start.at) > 0.85) return true;
  }
  return false;
}

async function smallDisk() {
  const disk = await mountSmallDisk(16);
  if (!disk) throw new Error('this test mounts a file system, which needs root');
  return disk;
}

describeWith(
  'promtool',
  'prometheus',
  'prometheus-alertmanager',
  'amtool',
  'prometheus-redis-exporter',
  'prometheus-postgres-exporter',
  'prometheus-node-exporter',
)('an alert fires in Alertmanager and its runbook ends it', () => {
  let world: World;
  let ADMIN_TOKEN = '';
  const runbooks = new Map<string, Runbook>();
  const pages = new Set<string>();
  beforeAll(async () => {
    for (const { alert, labels, annotations } of await readAlerts()) {
      runbooks.set(alert, await readRunbook(annotations?.['runbook_url'] ?? ''));
      if (labels?.['severity'] === 'page') pages.add(alert);
    }
    world = await startWorld(suite);
    const command = `${await readAdminTokenCommand()}printf %s "$ADMIN_TOKEN"`;
    ADMIN_TOKEN = (await world.run(command, { HUB_JWT_SECRET: hubSecret })).output;
  }, 120_000);

  // If an alert has two severities, only the page counts, because the drill causes it.
  function isFiringNow(alert: string): Promise<boolean> {
    return world.monitoring.isFiring(alert, pages.has(alert) ? 'page' : 'ticket');
  }

  async function until(alert: string, isFiring: boolean, timeoutMs: number): Promise<void> {
    await waitFor(async () => (await isFiringNow(alert)) === isFiring, {
      what: `${alert} ${isFiring ? 'to fire' : 'not to fire'}`,
      timeoutMs,
      everyMs: 250,
    });
  }

  it.each(drills.map((drill) => [drill.fault, drill.alerts.join(', '), drill] as const))(
    '%s: %s',
    async (_fault, _alerts, drill) => {
      const { alerts } = drill;
      scope.defer(() => world.watchAll());
      for (const alert of alerts) await until(alert, false, resolvesWithinMs);
      const { env: more = {}, isCaused = true } = (await drill.cause(world)) ?? {};
      const env = { ADMIN_TOKEN, ...more };
      if (!isCaused) {
        process.stderr.write(`skipped: this machine cannot cause that ${drill.fault}\n`);
        return;
      }
      for (const alert of alerts) await until(alert, true, firesWithinMs);
      for (const alert of alerts) {
        const seen = await world.run(runbooks.get(alert)?.see ?? '', env);
        // The fault may make a command fail, but every command must exist.
        expect([alert, seen.code, seen.output]).toEqual([
          alert,
          expect.any(Number),
          expect.not.stringMatching(
            /command not found|unknown command|Missing script|[Uu]nrecognized option|syntax error/,
          ),
        ]);
      }
      // The commands of "See" must not end the fault.
      for (const alert of alerts) expect([alert, await isFiringNow(alert)]).toEqual([alert, true]);
      for (const alert of alerts) {
        const blocks = runbooks.get(alert)?.end;
        for (const block of drill.blocks?.[alert] ?? [0]) {
          const ended = await world.run(`set -euo pipefail\n${blocks?.[block]}`, env);
          expect([alert, block, ended]).toEqual([
            alert,
            block,
            expect.objectContaining({
              code: 0,
              // redis-cli exits with 0 even after an error.
              output: expect.not.stringMatching(/^(ERR|NOAUTH|NOPERM|WRONGPASS) /m),
            }),
          ]);
        }
      }
      for (const alert of alerts) await until(alert, false, resolvesWithinMs);
    },
    drillTimeoutMs,
  );

  it('each block that ends an alert has a drill', () => {
    const drilled = new Set(
      drills.flatMap(({ alerts, blocks }) =>
        alerts.flatMap((alert) => (blocks?.[alert] ?? [0]).map((block) => `${alert} ${block}`)),
      ),
    );
    const written = [...runbooks].flatMap(([alert, { end }]) =>
      end.map((_, block) => `${alert} ${block}`),
    );
    expect([...drilled].toSorted()).toEqual(written.toSorted());
  });

  it('pages and tickets reach their receivers, when they fire and when they end', () => {
    const { received } = world.monitoring.receiver;
    expect(received).toEqual(
      expect.arrayContaining([
        'page HubDown firing',
        'page HubDown resolved',
        'ticket RedisEvictsKeys firing',
        'ticket RedisEvictsKeys resolved',
      ]),
    );
  });
});
