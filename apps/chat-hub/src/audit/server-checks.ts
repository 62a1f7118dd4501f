import type { RedisServerLink } from '@openclaw/redis-client';
import { isDenied, RedisClientError } from '@openclaw/redis-client';
import type { Check, Problem } from './findings.ts';

/** For `production`, the audit also checks that Redis keeps its data over a restart and makes snapshots. */
export type RedisRole = 'production' | 'development';

export interface ServerReport {
  readonly address: string;
  readonly role: 'master' | 'replica' | null;
  readonly version: string | null;
  readonly keys: number | null;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

const configNames = [
  'appendfsync',
  'save',
  'stop-writes-on-bgsave-error',
  'notify-keyspace-events',
  'timeout',
  'min-replicas-to-write',
] as const;
type Config = Partial<Record<(typeof configNames)[number], string>>;

const rightPolicies = ['allkeys-lru', 'allkeys-lfu'];

/** Costs INFO, DBSIZE and a CONFIG GET for each setting; on a Cluster also CLUSTER INFO. */
export async function checkServer(
  server: RedisServerLink,
  role: RedisRole,
  isCluster: boolean,
): Promise<ServerReport> {
  const problems: Problem[] = [];
  const notes: string[] = [];
  const { address } = server;
  const report = (check: Check, text: string) =>
    problems.push({ check, subject: address, key: null, text });

  const info = await readInfo(server, notes);
  const config = await readConfig(server, notes);
  if (info !== null) {
    checkMemory(info, report, notes);
    checkPersistence(info, config, role, report);
    checkReplication(info, report);
    const major = Number(/^\d+/.exec(info('redis_version') ?? '')?.[0]);
    if (major < 7)
      report('settings', `is Redis ${info('redis_version')}; the hub needs 7 or newer`);
  }
  checkSettings(config, report);
  if (isCluster) await checkClusterState(server, report);
  const keys = await server.call(['DBSIZE']).catch(ignoreDenied);
  return {
    address,
    role: server.role,
    version: info?.('redis_version') ?? null,
    keys: typeof keys === 'number' ? keys : null,
    problems,
    notes,
  };
}

type Info = (name: string) => string | undefined;

async function readInfo(server: RedisServerLink, notes: string[]): Promise<Info | null> {
  const text = await server.call(['INFO']).catch(ignoreDenied);
  if (typeof text !== 'string') {
    notes.push(
      `${server.address}: the user may not read INFO, so policy and persistence were not checked`,
    );
    return null;
  }
  const fields = new Map(
    text.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : [];
    }),
  );
  return (name) => fields.get(name);
}

/** Rethrows every error other than a denied or unknown command. */
function ignoreDenied(error: unknown): null {
  if (isDenied(error) || (error instanceof RedisClientError && error.code === 'rejected'))
    return null;
  throw error;
}

async function readConfig(server: RedisServerLink, notes: string[]): Promise<Config> {
  const replies = await server.batch(configNames.map((name) => ['CONFIG', 'GET', name]));
  const config: Config = {};
  for (const [at, name] of configNames.entries()) {
    const reply = replies[at];
    if (Array.isArray(reply) && typeof reply[1] === 'string') config[name] = reply[1];
    else if (reply instanceof RedisClientError && reply.code !== 'rejected') throw reply;
  }
  if (Object.keys(config).length === 0) {
    const what = configNames.join(', ');
    notes.push(
      `${server.address}: CONFIG GET is not allowed here, so these were not checked: ${what}`,
    );
  }
  return config;
}

type Report = (check: Check, text: string) => void;

function checkMemory(info: Info, report: Report, notes: string[]): void {
  const policy = info('maxmemory_policy');
  if (policy !== undefined && !rightPolicies.includes(policy)) {
    const effect =
      policy === 'noeviction'
        ? 'a full Redis refuses every write'
        : policy.startsWith('volatile-')
          ? 'keys without a TTL stay, and may fill it'
          : 'keys in use are evicted as easily as stale ones';
    report('policy', `maxmemory-policy is ${policy}: ${effect}; set allkeys-lru`);
  }
  if (info('maxmemory') === '0')
    report('policy', 'maxmemory is not set: nothing is evicted before the machine is full');
  const evicted = Number(info('evicted_keys') ?? 0);
  if (evicted > 0) notes.push(`${evicted} keys were evicted since the start of a server`);
}

function checkPersistence(info: Info, config: Config, role: RedisRole, report: Report): void {
  if (role === 'production' && info('aof_enabled') === '0')
    report(
      'persistence',
      'appendonly is no: a restart of this production Redis loses all presence',
    );
  if (role === 'production' && config.save === '')
    report('persistence', 'save is empty: there are no snapshots for a backup of production');
  if (config.appendfsync === 'always')
    report('persistence', 'appendfsync is always: each write waits for the disk; set everysec');
  if (config['stop-writes-on-bgsave-error'] === 'yes' && config.save)
    report('persistence', 'stop-writes-on-bgsave-error is yes: a full disk would stop all writes');
  const failed = {
    aof_last_write_status: 'the last write to the append-only file failed',
    aof_last_bgrewrite_status: 'the last rewrite of the append-only file failed',
    rdb_last_bgsave_status: 'the last snapshot failed',
  };
  for (const [name, text] of Object.entries(failed))
    if (info(name) === 'err') report('persistence', text);
}

function checkReplication(info: Info, report: Report): void {
  if (info('role') !== 'slave') return;
  if (info('master_link_status') !== 'up')
    report('replication', 'is a replica without its master: its data is outdated');
  if (info('slave_read_only') === '0')
    report('replication', 'is a replica that accepts writes, which its master never gets');
}

function checkSettings(config: Config, report: Report): void {
  const events = config['notify-keyspace-events'];
  if (events)
    report(
      'settings',
      `notify-keyspace-events is ${events}: it slows each write, and nothing uses it`,
    );
  if (config.timeout !== undefined && config.timeout !== '0')
    report('settings', `timeout is ${config.timeout}: idle subscribers are disconnected; set 0`);
  const replicas = config['min-replicas-to-write'];
  if (replicas !== undefined && replicas !== '0')
    report(
      'settings',
      `min-replicas-to-write is ${replicas}: without them writes are refused; set 0`,
    );
}

async function checkClusterState(server: RedisServerLink, report: Report): Promise<void> {
  const text = await server.call(['CLUSTER', 'INFO']).catch(ignoreDenied);
  const state = /^cluster_state:(\w+)/m.exec(typeof text === 'string' ? text : '')?.[1];
  if (state !== undefined && state !== 'ok')
    report('settings', `the Cluster's state is ${state}: some slots have no server`);
}
