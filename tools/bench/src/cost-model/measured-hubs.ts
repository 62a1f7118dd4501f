import { join } from 'node:path';
import {
  inspectorEnv,
  openInspector,
  startHub,
  usesRedis,
  waitFor,
  type Inspector,
  type RedisServer,
} from '@openclaw/test-support';
import { redisCounters, type RedisCounters } from './probes.ts';

export const unlimited = {
  HUB_LIMIT_MESSAGE: '1000000/1',
  HUB_LIMIT_CREATE: '1000000/1',
  HUB_LIMIT_CALLS: '1000000/1',
  HUB_AGENT_LOOP: '0',
  HUB_AGENT_TURNS: '0',
};

export async function startMeasuredHubs(
  redis: RedisServer,
  folder: string,
  env: Readonly<Record<string, string>> = {},
) {
  const shared = {
    ...unlimited,
    REDIS_URL: redis.url,
    HUB_DB_URL: `sqlite:${join(folder, 'hub.sqlite')}`,
    ...env,
    NODE_OPTIONS: `${inspectorEnv.NODE_OPTIONS} ${env['NODE_OPTIONS'] ?? ''}`,
  };
  const sending = await startHub({ env: shared });
  const receiving = await startHub({ env: shared });
  const hubs = [sending, receiving] as const;
  await waitFor(async () => (await Promise.all(hubs.map(usesRedis))).every(Boolean));
  const inspectors = [
    await openInspector(() => sending.output()),
    await openInspector(() => receiving.output()),
  ] as const;
  return {
    hubs,
    inspectors,
    async [Symbol.asyncDispose]() {
      for (const inspector of inspectors) inspector.close();
      await Promise.all(hubs.map((hub) => hub.stop()));
    },
  };
}

interface RedisUse {
  readonly commands: number;
  readonly outputBytes: number;
  readonly cpuMs: number;
}

/** The measurement itself sends these commands. */
const ownCommands: ReadonlySet<string> = new Set(['info', 'quit']);

function redisUse(before: RedisCounters, after: RedisCounters): RedisUse {
  let commands = 0;
  for (const [name, calls] of after.calls)
    if (!ownCommands.has(name)) commands += calls - (before.calls.get(name) ?? 0);
  return {
    commands,
    outputBytes: after.outputBytes - before.outputBytes,
    cpuMs: after.cpuMs - before.cpuMs,
  };
}

interface Use {
  readonly seconds: number;
  readonly sendingMs: number;
  readonly receivingMs: number;
  readonly redis: RedisUse;
}

export async function during(
  redis: RedisServer,
  [sending, receiving]: readonly [Inspector, Inspector],
  work: () => Promise<unknown>,
): Promise<Use> {
  const read = () => Promise.all([sending.cpuMs(), receiving.cpuMs(), redisCounters(redis)]);
  const [sendingFrom, receivingFrom, redisFrom] = await read();
  const startMs = performance.now();
  await work();
  const seconds = (performance.now() - startMs) / 1_000;
  const [sendingTo, receivingTo, redisTo] = await read();
  return {
    seconds,
    sendingMs: sendingTo - sendingFrom,
    receivingMs: receivingTo - receivingFrom,
    redis: redisUse(redisFrom, redisTo),
  };
}

export function beyondIdle(use: Use, idle: Use): Use {
  const share = use.seconds / idle.seconds;
  return {
    seconds: use.seconds,
    sendingMs: use.sendingMs - share * idle.sendingMs,
    receivingMs: use.receivingMs - share * idle.receivingMs,
    redis: {
      commands: use.redis.commands - share * idle.redis.commands,
      outputBytes: use.redis.outputBytes - share * idle.redis.outputBytes,
      cpuMs: use.redis.cpuMs - share * idle.redis.cpuMs,
    },
  };
}
