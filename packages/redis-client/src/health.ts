import { answered } from './answered.ts';
import type { Breaker } from './breaker.ts';
import type { OwnedSubscriber } from './create-subscriber.ts';
import type { WriteRefusal } from './errors.ts';
import type { Probe } from './probe.ts';
import type { CommandTransport } from './transport.ts';

/** What {@link RedisClient.health} answers; made to be shown by a readiness endpoint and read by metrics. */
export interface RedisHealth {
  /** `refusing_writes`: it answers, and is not used, because what it holds is outdated as long as it takes no writes. */
  readonly status: 'ok' | 'refusing_writes' | 'down';
  /** Why it takes no writes; null when it does, or is down. */
  readonly refusal: WriteRefusal | null;
  readonly mode: 'standalone' | 'sentinel' | 'cluster';
  readonly breaker: 'closed' | 'open' | 'half_open';
  /** Round trip of one PING; on Cluster the slowest master's; null when down. */
  readonly latencyMs: number | null;
  /** Of the server that answers commands; null when down or hidden by ACL. */
  readonly role: 'master' | 'replica' | null;
  /** Changes when the server was restarted or another took over; null when down, hidden, or Cluster. */
  readonly runId: string | null;
  readonly version: string | null;
  /** On Cluster the sum over the masters. */
  readonly usedMemoryBytes: number | null;
  /** 0: no limit is set. On Cluster the sum over the masters. */
  readonly maxMemoryBytes: number | null;
  /** Keys that Redis dropped to stay within its memory, since it began. On Cluster the sum over the masters. */
  readonly evictedKeys: number | null;
  /** How often the command connection was established again since creation. */
  readonly reconnects: number;
  readonly subscriber: {
    readonly connected: boolean;
    /** Topics and patterns that someone handles. */
    readonly topics: number;
    /** Those of them that Redis has not confirmed on this connection. */
    readonly unconfirmed: number;
    readonly reconnects: number;
  };
}

/** What {@link readHealth} looks at. */
export interface HealthSources {
  readonly transport: CommandTransport;
  readonly breaker: Pick<Breaker, 'state'>;
  readonly probe: Pick<Probe, 'refusal' | 'takesWrites'>;
  readonly subscriber: Pick<OwnedSubscriber, 'connected' | 'topics' | 'unconfirmed' | 'reconnects'>;
  readonly mode: RedisHealth['mode'];
  isClosed(): boolean;
}

function field(info: readonly string[], name: string): readonly string[] {
  return info.flatMap((text) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1] ?? []);
}

function sum(values: readonly string[]): number | null {
  return values.length === 0 ? null : values.reduce((total, value) => total + Number(value), 0);
}

const roles: Readonly<Record<string, RedisHealth['role']>> = { master: 'master', slave: 'replica' };

/** Two round trips: PING, timed, and INFO. Goes past the breaker, because it reports on it. */
export async function readHealth(sources: HealthSources): Promise<RedisHealth> {
  const { transport, breaker, probe, subscriber, mode } = sources;
  let latencyMs: number | null = null;
  let info: readonly string[] = [];
  if (transport.ready && !sources.isClosed()) {
    const startedMs = performance.now();
    try {
      await answered(transport.callEach(['ping']));
      latencyMs = performance.now() - startedMs;
      info = (await transport.callEach(['info'])).map(String);
    } catch {
      // What could not be read stays null; an ACL may deny INFO to a healthy client.
    }
  }
  const [role] = field(info, 'role');
  const [runId] = field(info, 'run_id');
  const [version] = field(info, 'redis_version');
  const isUp =
    latencyMs !== null && breaker.state === 'closed' && (probe.takesWrites || probe.refusal);
  const refusal = isUp ? (probe.refusal?.kind ?? null) : null;
  return {
    status: !isUp ? 'down' : refusal ? 'refusing_writes' : 'ok',
    refusal,
    mode,
    breaker: breaker.state,
    latencyMs,
    role: roles[role ?? ''] ?? null,
    runId: mode === 'cluster' ? null : (runId ?? null),
    version: version ?? null,
    usedMemoryBytes: sum(field(info, 'used_memory')),
    maxMemoryBytes: sum(field(info, 'maxmemory')),
    evictedKeys: sum(field(info, 'evicted_keys')),
    reconnects: transport.reconnects,
    subscriber: {
      connected: subscriber.connected,
      topics: subscriber.topics,
      unconfirmed: subscriber.unconfirmed,
      reconnects: subscriber.reconnects,
    },
  };
}
