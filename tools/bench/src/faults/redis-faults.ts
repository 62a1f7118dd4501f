import {
  startChatTraffic,
  startHubPair,
  startRedis,
  startSentinel,
  startTcpLink,
  untilPresenceIsWhole,
  untilRedisIs,
  untilTopicsPass,
  waitFor,
  type ChatTraffic,
  type HubPair,
  type HubProcess,
  type RedisServer,
} from '@openclaw/test-support';
import type { MeasureKey, Note } from './measure.ts';

const env = { HUB_LIMIT_MESSAGE: '1000000/60', HUB_LIMIT_TYPING: '1000000/60' };

export const since = (startMs: number): number => performance.now() - startMs;

async function untilWhole(pair: HubPair, traffic: ChatTraffic): Promise<void> {
  await untilRedisIs('used', pair.hubs);
  await Promise.all([untilTopicsPass(traffic), untilPresenceIsWhole(traffic)]);
}

/** Rejects if the traffic has violations. */
export async function settle(traffic: ChatTraffic): Promise<void> {
  const violations = await traffic.stop();
  await traffic.close();
  if (violations.length > 0) {
    throw new Error(`deliveries went wrong:\n${violations.slice(0, 20).join('\n')}`);
  }
}

interface Way {
  readonly name: string;
  /**
   * The keys of the three measured times: until the hubs report that Redis is away, the slowest delivery while it is
   * away, and the recovery.
   */
  readonly keys: readonly [MeasureKey, MeasureKey, MeasureKey];
  readonly struck: readonly HubProcess[];
  readonly strike: () => unknown;
  readonly mend: () => unknown;
}

/** Kills Redis, freezes it, and cuts it off from one hub, `runs` times. */
export async function measureOneServer(runs: number, note: Note): Promise<void> {
  const redis = await startRedis();
  const link = await startTcpLink(redis.port);
  const way = { REDIS_URL: `redis://127.0.0.1:${link.port}` };
  const pair = await startHubPair({ REDIS_URL: redis.url, ...env }, way);
  const ways: Way[] = [
    {
      name: 'kill',
      keys: ['killed', 'killedDelivery', 'killedBack'],
      struck: pair.hubs,
      strike: () => redis.kill(),
      mend: () => redis.restart(),
    },
    {
      name: 'freeze',
      keys: ['frozen', 'frozenDelivery', 'frozenBack'],
      struck: pair.hubs,
      strike: () => redis.freeze(),
      mend: () => redis.thaw(),
    },
    {
      name: 'cut',
      keys: ['cut', 'cutDelivery', 'cutBack'],
      struck: [pair.hubs[1]],
      strike: () => link.swallow(),
      mend: () => link.heal(),
    },
  ];
  try {
    for (let run = 0; run < runs; run += 1) {
      for (const { name, keys, struck, strike, mend } of ways) {
        const traffic = await startChatTraffic(pair.hubs, { name: `${name}${run}` });
        await untilWhole(pair, traffic);
        await traffic.moreAcks(30);
        const struckMs = performance.now();
        await strike();
        await untilRedisIs('away', struck);
        note(keys[0], since(struckMs));
        traffic.resetDelay();
        await traffic.moreAcks(150);
        await traffic.allDelivered();
        note(keys[1], traffic.worstDelayMs);
        await mend();
        const backMs = performance.now();
        await untilWhole(pair, traffic);
        note(keys[2], since(backMs));
        await settle(traffic);
      }
    }
  } finally {
    await pair.stop();
    await link.stop();
    await redis.stop();
  }
}

export async function measureSentinel(runs: number, note: Note): Promise<void> {
  const deployment = await startSentinel();
  const sentinels = deployment.sentinels.map(({ host, port }) => `${host}:${port}`).join();
  const pair = await startHubPair({
    CHAT_REDIS_SENTINELS: sentinels,
    CHAT_REDIS_SENTINEL_NAME: deployment.name,
    ...env,
  });
  const ways = [
    { key: 'sentinelKilled', strike: 'killMaster', mend: 'restart' },
    { key: 'sentinelFrozen', strike: 'freezeMaster', mend: 'thaw' },
  ] as const;
  try {
    for (let run = 0; run < runs; run += 1) {
      for (const { key, strike, mend } of ways) {
        const traffic = await startChatTraffic(pair.hubs, { name: `${strike}${run}` });
        await untilWhole(pair, traffic);
        const fallen = await deployment[strike]();
        await untilRedisIs('away', pair.hubs);
        await deployment.failedOver(fallen.port);
        const electedMs = performance.now();
        await untilWhole(pair, traffic);
        note(key, since(electedMs));
        await settle(traffic);
        await fallen[mend]();
        await rejoined(fallen);
      }
    }
  } finally {
    await pair.stop();
    await deployment.stop();
  }
}

/** The next failover needs the old master as a replica. */
async function rejoined(fallen: RedisServer): Promise<void> {
  await waitFor(
    async () =>
      /role:slave[\s\S]*master_link_status:up/.test(
        await fallen.command('INFO replication').catch(() => ''),
      ),
    { what: 'the old master as a replica', timeoutMs: 40_000, everyMs: 100 },
  );
}
