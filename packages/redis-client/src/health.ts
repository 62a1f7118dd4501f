import type { Availability } from './availability.ts';
import type { WriteRefusal } from './errors.ts';
import { untilAnswered } from './heartbeat.ts';
import type { OwnedSubscriber } from './subscriber.ts';
import type { CommandTransport } from './transport.ts';

export interface RedisHealth {
  /**
   * `refusing_writes`: the server answers but refuses writes. It is not used for reads either, because its data becomes
   * outdated.
   */
  readonly status: 'ok' | 'refusing_writes' | 'down';
  /** Null when the server accepts writes or is down. */
  readonly refusal: WriteRefusal | null;
  readonly mode: 'standalone' | 'sentinel' | 'cluster';
  readonly breaker: 'closed' | 'open' | 'half_open';
  /** The round trip of a PING; on Cluster, to the slowest master. Null when down. */
  readonly latencyMs: number | null;
  /** Null when down or hidden by ACL. */
  readonly role: 'master' | 'replica' | null;
  /** Changes with a restart or takeover. Null when down, when hidden by ACL, and on Cluster. */
  readonly runId: string | null;
  readonly version: string | null;
  /** On Cluster: the sum over the masters. */
  readonly usedMemoryBytes: number | null;
  /** 0: no limit. On Cluster: the sum over the masters. */
  readonly maxMemoryBytes: number | null;
  /** Since Redis started. On Cluster: the sum over the masters. */
  readonly evictedKeys: number | null;
  /** The first connection does not count. */
  readonly reconnects: number;
  readonly subscriber: {
    readonly connected: boolean;
    readonly topics: number;
    /** Topics and patterns that Redis has not confirmed on this connection. */
    readonly unconfirmed: number;
    readonly reconnects: number;
  };
}

function field(info: readonly string[], name: string): readonly string[] {
  return info.flatMap((text) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1] ?? []);
}

function sum(values: readonly string[]): number | null {
  return values.length === 0 ? null : values.reduce((total, value) => total + Number(value), 0);
}

const roles: Readonly<Record<string, RedisHealth['role']>> = { master: 'master', slave: 'replica' };

/** Two round trips, PING and INFO. Bypasses the breaker, because the result includes the breaker's state. */
export async function readHealth(
  mode: RedisHealth['mode'],
  transport: CommandTransport,
  availability: Availability,
  subscriber: OwnedSubscriber,
): Promise<RedisHealth> {
  let latencyMs: number | null = null;
  let info: readonly string[] = [];
  if (transport.ready && !availability.isClosed) {
    const startedMs = performance.now();
    try {
      await untilAnswered(transport.callEach(['ping']));
      latencyMs = performance.now() - startedMs;
      info = (await transport.callEach(['info'])).map(String);
    } catch {
      // An ACL may deny INFO to a healthy client. Values that were not read stay null.
    }
  }
  const [role] = field(info, 'role');
  const [runId] = field(info, 'run_id');
  const [version] = field(info, 'redis_version');
  const { breaker, takesWrites, refusal: lastRefusal } = availability.health;
  const isUp = latencyMs !== null && breaker === 'closed' && (takesWrites || lastRefusal);
  const refusal = isUp ? (lastRefusal?.kind ?? null) : null;
  return {
    status: !isUp ? 'down' : refusal ? 'refusing_writes' : 'ok',
    refusal,
    mode,
    breaker,
    latencyMs,
    role: roles[role ?? ''] ?? null,
    runId: mode === 'cluster' ? null : (runId ?? null),
    version: version ?? null,
    usedMemoryBytes: sum(field(info, 'used_memory')),
    maxMemoryBytes: sum(field(info, 'maxmemory')),
    evictedKeys: sum(field(info, 'evicted_keys')),
    reconnects: transport.reconnects,
    subscriber: subscriber.health,
  };
}
