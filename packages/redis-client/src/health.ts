import type { Availability } from './availability.ts';
import type { WriteRefusal } from './errors.ts';
import { untilAnswered } from './heartbeat.ts';
import type { OwnedSubscriber } from './subscriber.ts';
import type { CommandTransport } from './transport.ts';

/** The state of Redis, for a readiness endpoint and for metrics. */
export interface RedisHealth {
  /** `refusing_writes`: the server answers but accepts no writes, so its data is outdated and it is not used. */
  readonly status: 'ok' | 'refusing_writes' | 'down';
  /** Why the server accepts no writes; null when it accepts them or is down. */
  readonly refusal: WriteRefusal | null;
  readonly mode: 'standalone' | 'sentinel' | 'cluster';
  readonly breaker: 'closed' | 'open' | 'half_open';
  /** Round trip of one PING, on Cluster to the slowest master; null when down. */
  readonly latencyMs: number | null;
  /** The role of the server that answers commands; null when down or hidden by ACL. */
  readonly role: 'master' | 'replica' | null;
  /** Changes when the server restarts or another one takes over; null when down, hidden, or Cluster. */
  readonly runId: string | null;
  readonly version: string | null;
  /** On Cluster: the sum over the masters. */
  readonly usedMemoryBytes: number | null;
  /** 0: no limit is set. On Cluster the sum over the masters. */
  readonly maxMemoryBytes: number | null;
  /** Keys that Redis evicted since its start. On Cluster the sum over the masters. */
  readonly evictedKeys: number | null;
  /** How often the command connection was established again since the creation of the client. */
  readonly reconnects: number;
  readonly subscriber: {
    readonly connected: boolean;
    /** Topics and patterns with a handler. */
    readonly topics: number;
    /** The topics and patterns that Redis has not confirmed on this connection. */
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

/** Makes two round trips, PING and INFO. Bypasses the breaker, because it reports on the breaker. */
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
      // Ignored: the values that could not be read stay null, because an ACL may deny INFO to a healthy client.
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
