import {
  operationsFiguresSchema,
  type Operations,
  type OperationsFigures,
} from '@openclaw/protocol';

const counted = [
  ...(['messages', 'deliveries', 'calls', 'failedCalls', 'refusedCalls'] as const),
  ...(['publishFailures', 'tailRepairs', 'laggingSockets', 'badFrames'] as const),
  ...(['refusedConnections', 'closedConnections'] as const),
] as const;

const severities = {
  database: ['ok', 'down'],
  redis: ['none', 'in_use', 'away'],
  publishPath: ['unused', 'ok', 'down'],
} as const satisfies {
  [K in 'database' | 'redis' | 'publishPath']: readonly OperationsFigures[K][];
};

/** Counts are the increases between the two snapshots. All other figures are those of `after`. */
export function figuresBetween(before: Operations, after: Operations): OperationsFigures {
  const increases = Object.fromEntries(
    counted.map((name) => [name, after.counters[name] - before.counters[name]]),
  ) as Pick<OperationsFigures, (typeof counted)[number]>;
  return {
    ms: after.timestamp - before.timestamp,
    ...increases,
    redisReconnects: after.redis.reconnects - before.redis.reconnects,
    ackP99Ms: after.latency.ackMs?.p99 ?? null,
    deliveryP99Ms: after.latency.deliveryMs?.p99 ?? null,
    sockets: after.sockets,
    agents: after.agents,
    rooms: after.rooms,
    laggingNow: after.laggingNow,
    queueLength: after.database.queueLength,
    database: after.database.status,
    redis: after.redis.status,
    publishPath: after.publishPath.status,
    ended: false,
  };
}

/** Adds up the counts. Sizes come from `next`. Every other figure is the worse of both values. */
export function joinFigures(one: OperationsFigures, next: OperationsFigures): OperationsFigures {
  const sums = Object.fromEntries(
    (['ms', 'redisReconnects', ...counted] as const).map((name) => [name, one[name] + next[name]]),
  );
  const worst = (name: keyof typeof severities) => {
    const order: readonly string[] = severities[name];
    return {
      [name]: order.indexOf(one[name]) > order.indexOf(next[name]) ? one[name] : next[name],
    };
  };
  return {
    ...next,
    ...sums,
    ackP99Ms: highest(one.ackP99Ms, next.ackP99Ms),
    deliveryP99Ms: highest(one.deliveryP99Ms, next.deliveryP99Ms),
    laggingNow: Math.max(one.laggingNow, next.laggingNow),
    queueLength: Math.max(one.queueLength, next.queueLength),
    ...worst('database'),
    ...worst('redis'),
    ...worst('publishPath'),
  };
}

/** Null when the stored figures do not have this release's form. */
export function parseFigures(text: string | null): OperationsFigures | null {
  if (text === null) return null;
  try {
    return operationsFiguresSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function highest(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}
