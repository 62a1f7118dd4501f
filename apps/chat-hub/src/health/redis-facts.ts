import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createKeySchema } from '@openclaw/key-schema';
import {
  createRedisClient,
  openRedisServers,
  type RedisConnection,
  type RedisServerLink,
  type RedisServers,
} from '@openclaw/redis-client';
import { shownAddress } from '../observe/shown-address.ts';
import { orNull } from './line.ts';

export interface RedisFacts {
  readonly shownUrl: string;
  /** If false, the environment names no Redis, so its absence is no fault. */
  readonly isNamed: boolean;
  readonly mode: RedisServers['mode'] | null;
  /** The list is empty if no server was reached; `failure` says why. */
  readonly servers: readonly ServerFacts[];
  /** Null when a probe event was not published, or did not arrive in time. */
  readonly pubSubMs: number | null;
  readonly failure: string | null;
}

export interface ServerFacts {
  readonly address: string;
  readonly role: 'master' | 'replica' | null;
  readonly pingMs: number;
  /** Returns undefined when the field is absent or the user may not read INFO. */
  readonly info: (name: string) => string | undefined;
  readonly cpuShare: number | null;
  readonly evictionsPerSecond: number | null;
  /** `keys` counts the keys of the hub's database. `immortal` counts those that never expire. */
  readonly keys: number | null;
  readonly immortal: number | null;
}

const sampleMs = 800;
const pings = 5;

/** Publishes probe events, and reads facts of each server. Never rejects; ends within `timeoutMs`. */
export async function readRedis(
  named: RedisConnection | null,
  timeoutMs: number,
): Promise<RedisFacts> {
  const connection = named ?? { host: '127.0.0.1', port: 6379 };
  const shown = { shownUrl: shownAddress(connection), isNamed: named !== null };
  const none = { ...shown, mode: null, servers: [], pubSubMs: null };
  const closers: (() => void)[] = [];
  let isOver = false;
  const look = async (): Promise<RedisFacts> => {
    const opened = await openRedisServers(connection, {
      timeoutMs: Math.round(timeoutMs / 2),
      connectionName: 'openclaw-health',
    });
    if (isOver) opened.close();
    closers.push(() => opened.close());
    const { mode } = opened;
    const [servers, pubSubMs] = await Promise.all([
      Promise.all(opened.servers.map((server) => readServer(server, connection.db ?? 0))),
      measurePubSub(connection, mode === 'cluster', timeoutMs / 2).catch(() => null),
    ]);
    return { ...shown, mode, servers, pubSubMs, failure: null };
  };
  try {
    const late = { ...none, failure: `no answer in ${timeoutMs} ms` };
    return (await orNull(look(), timeoutMs)) ?? late;
  } catch (error) {
    return { ...none, failure: (error as Error).message };
  } finally {
    isOver = true;
    for (const close of closers) close();
  }
}

async function readServer(server: RedisServerLink, db: number): Promise<ServerFacts> {
  const times: number[] = [];
  for (let at = 0; at < pings; at += 1) {
    const startMs = performance.now();
    await server.call(['PING']);
    times.push(performance.now() - startMs);
  }
  const startMs = performance.now();
  const before = await readInfo(server);
  await delay(sampleMs);
  const info = await readInfo(server);
  const seconds = (performance.now() - startMs) / 1000;
  const rise = (name: string) => {
    const [from, to] = [before(name), info(name)];
    return from === undefined || to === undefined ? null : (Number(to) - Number(from)) / seconds;
  };
  const cpu = [rise('used_cpu_user_main_thread'), rise('used_cpu_sys_main_thread')];
  const keyspace = /keys=(\d+),expires=(\d+)/.exec(info(`db${db}`) ?? '');
  const isInfoRead = info('redis_version') !== undefined;
  const keys = keyspace ? Number(keyspace[1]) : isInfoRead ? 0 : null;
  return {
    address: server.address,
    role: server.role,
    pingMs: times.sort((a, b) => a - b)[Math.floor(pings / 2)] ?? 0,
    info,
    cpuShare: cpu.includes(null) ? null : (cpu[0] ?? 0) + (cpu[1] ?? 0),
    evictionsPerSecond: rise('evicted_keys'),
    keys,
    immortal: keys === null ? null : keys - Number(keyspace?.[2] ?? 0),
  };
}

async function readInfo(server: RedisServerLink): Promise<ServerFacts['info']> {
  const [text] = await server.batch([['INFO']]);
  const fields = new Map(
    (typeof text === 'string' ? text : '').split('\r\n').map((row) => {
      const colon = row.indexOf(':');
      return [row.slice(0, colon), row.slice(colon + 1)] as const;
    }),
  );
  return (name) => fields.get(name);
}

/** Returns the median time, or null when Redis is not ready or a probe event does not arrive in time. */
async function measurePubSub(
  connection: RedisConnection,
  isCluster: boolean,
  timeoutMs: number,
): Promise<number | null> {
  const node = { host: connection.host ?? 'localhost', port: connection.port ?? 6379 };
  const address: RedisConnection =
    isCluster && !connection.cluster && connection.url === undefined
      ? { ...connection, cluster: [node] }
      : connection;
  const redis = createRedisClient({ ...address, connectionName: 'openclaw-health' });
  try {
    if (!(await redis.ready())) return null;
    const topic = createKeySchema({ hashTags: isCluster }).probeTopic(randomUUID());
    let arrived: ((word: string) => void) | undefined;
    await redis.subscriber.subscribe(topic, (word) => arrived?.(word));
    // The subscriber has its own connection, which may be ready later.
    const endMs = performance.now() + timeoutMs / 2;
    while (!redis.subscriber.connected && performance.now() < endMs) await delay(5);
    const times: number[] = [];
    for (let at = 0; at < pings; at += 1) {
      const startMs = performance.now();
      const back = new Promise<void>((resolve) => {
        arrived = (word) => word === String(at) && resolve();
      });
      await redis.send([isCluster ? 'SPUBLISH' : 'PUBLISH', topic, String(at)]);
      if (
        (await orNull(
          back.then(() => true),
          timeoutMs / pings,
        )) === null
      )
        return null;
      times.push(performance.now() - startMs);
    }
    return times.sort((a, b) => a - b)[Math.floor(pings / 2)] ?? null;
  } finally {
    await redis.close();
  }
}
