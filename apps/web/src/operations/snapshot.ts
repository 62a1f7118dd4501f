/** A hub's view of itself and its system, each part of which may be missing. */
export interface Snapshot {
  readonly timestamp: number;
  readonly hubId?: string;
  readonly version?: string;
  readonly uptimeMs?: number;
  readonly counters?: Readonly<Record<string, number>>;
  readonly latency?: Readonly<Record<string, Percentiles | null>>;
  readonly sockets?: number;
  readonly agents?: number;
  readonly rooms?: number;
  /** Sockets that catch up from the log at this moment. */
  readonly laggingNow?: number;
  readonly database?: { readonly status?: string; readonly latencyMs?: number | null };
  readonly redis?: RedisState;
  readonly breaker?: string | null;
  readonly degraded?: boolean;
  readonly publishPath?: unknown;
  readonly hubs?: readonly HubRow[];
  readonly channels?: readonly ChannelRow[];
}

/** Latencies in milliseconds. */
export interface Percentiles {
  readonly p50?: number | null;
  readonly p90?: number | null;
  readonly p99?: number | null;
}

/** What the hub knows of its Redis. */
export interface RedisState {
  readonly status?: string;
  readonly latencyMs?: number | null;
  readonly usedMemoryBytes?: number | null;
  readonly maxMemoryBytes?: number | null;
  readonly evictedKeys?: number | null;
  readonly breaker?: string | null;
}

/** One hub of the system. */
export interface HubRow {
  readonly hubId: string;
  readonly lastBeatAgoMs?: number | null;
  readonly isThis?: boolean;
}

/** One of the busiest channels. */
export interface ChannelRow {
  readonly channelId: string;
  readonly name?: string | null;
  readonly messagesPerSecond?: number | null;
  readonly deliveriesPerSecond?: number | null;
  readonly sockets?: number | null;
  readonly deliveryP99Ms?: number | null;
}

/** One second of the charts; null where nothing is known. */
export interface Sample {
  readonly atSeconds: number;
  readonly messages: number | null;
  readonly deliveries: number | null;
  readonly ackP50: number | null;
  readonly ackP99: number | null;
  readonly deliveryP50: number | null;
  readonly deliveryP99: number | null;
  readonly sockets: number | null;
}

const samplesMax = 300;

/** Counters become rates between one snapshot and the next; a hub that began anew starts from nothing. */
export function sampleOf(snapshot: Snapshot, before: Snapshot | null): Sample {
  const seconds = before === null ? 0 : (snapshot.timestamp - before.timestamp) / 1000;
  const rate = (name: string): number | null => {
    const [now, then] = [snapshot.counters?.[name], before?.counters?.[name]];
    const isSame = snapshot.hubId === before?.hubId;
    if (now === undefined || then === undefined || !isSame || seconds <= 0 || now < then)
      return null;
    return (now - then) / seconds;
  };
  const { ackMs, deliveryMs } = snapshot.latency ?? {};
  return {
    atSeconds: snapshot.timestamp / 1000,
    messages: rate('messages'),
    deliveries: rate('deliveries'),
    ackP50: ackMs?.p50 ?? null,
    ackP99: ackMs?.p99 ?? null,
    deliveryP50: deliveryMs?.p50 ?? null,
    deliveryP99: deliveryMs?.p99 ?? null,
    sockets: snapshot.sockets ?? null,
  };
}

/** The last minutes with one sample more. */
export function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  return [...samples.slice(-(samplesMax - 1)), sample];
}
