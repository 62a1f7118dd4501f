import type { OwnLimiter } from '../edge/agent-orders.ts';
import { LRUCache } from 'lru-cache';
import type { CallOutcome } from '../calls/failure.ts';
import type { CallObserver, Limiter } from '../calls/invoke.ts';
import type { Delivery } from '../channels/flusher.ts';
import type { AgentActivities } from './agent-activity.ts';
import type { Metrics } from './metrics.ts';

interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

export interface ChannelTraffic {
  readonly channelId: string;
  readonly messagesPerSecond: number;
  readonly deliveriesPerSecond: number;
  readonly deliveryP99Ms: number;
}

export interface Traffic {
  readonly called: CallObserver;
  readonly written: (deliveries: readonly Delivery[]) => void;
  readonly events: number;
  /**
   * Covers the last seconds. `ackMs` is the time from a send to its answer, and `deliveryMs` the time from an event's
   * timestamp to its delivery.
   */
  latency(): { readonly ackMs: Percentiles | null; readonly deliveryMs: Percentiles | null };
  /** Covers the last seconds. Three quarters of the list are the busiest channels, one quarter the slowest. */
  channels(limit: number): ChannelTraffic[];
}

/** Percentiles and rates cover the last one to two slices. */
const sliceMs = 5_000;
const unitsPerMs = 16;
/** The error of a value is at most 1/32 of the value, or 0.1 ms if that is more. */
const bucketsPerOctave = 16;
/** The maximum is about a minute. Longer latencies are recorded as this value. */
const maxUnits = 2 ** 20 - 1;
const bucketCount = bucketsPerOctave * 17;

/** Past this number, the channel that was quiet longest is evicted. */
const maxMeasured = 500;

/** The cost grows with events, not with deliveries. */
export function createTraffic(
  metrics: Pick<Metrics, 'calls' | 'callSeconds' | 'deliverySeconds'>,
  maxChannels = maxMeasured,
  clock = Date.now,
  agents: AgentActivities | null = null,
): Traffic {
  const acks = new RecentLatency();
  const overall = new RecentLatency();
  const channels = new LRUCache<string, RecentLatency>({ max: maxChannels });
  let events = 0;

  function measureOf(channelId: string): RecentLatency {
    const measure = channels.get(channelId) ?? new RecentLatency();
    channels.set(channelId, measure);
    return measure;
  }

  return {
    called(method, transport, outcome, durationMs, agentId) {
      metrics.calls.inc({ method, transport, outcome });
      if (agents !== null && agentId !== null && outcome !== 'ok' && !isLostRace(method, outcome))
        agents.unsuccessful(agentId, outcome);
      if (durationMs === null) return;
      metrics.callSeconds.observe({ method }, durationMs / 1000);
      if (outcome !== 'ok' || (method !== 'message.send' && method !== 'direct.send')) return;
      acks.record(durationMs);
      if (agents === null || agentId === null) return;
      const sender = agents.agents.get(agentId) ?? agents.of(agentId);
      sender.sent += 1;
      sender.lastSentMs = clock();
    },
    written(deliveries) {
      const nowMs = clock();
      for (const { channelId, events: these, sockets } of deliveries) {
        const durable = these.filter(({ seq }) => seq !== null);
        if (durable.length === 0) continue;
        const measure = measureOf(channelId);
        for (const { timestamp } of durable) {
          // The database sets the timestamp, and its clock may be ahead.
          const latencyMs = Math.max(0, nowMs - timestamp);
          measure.record(latencyMs, sockets);
          overall.record(latencyMs, sockets);
          metrics.deliverySeconds.observe(latencyMs / 1000);
        }
        events += durable.length;
      }
    },
    get events() {
      return events;
    },
    latency: () => ({ ackMs: acks.percentiles(), deliveryMs: overall.percentiles() }),
    channels(limit) {
      const all = [...channels].flatMap(([channelId, measure]) => {
        const percentiles = measure.percentiles();
        if (!percentiles) return [];
        const { perSecond, weightPerSecond } = measure.rates();
        return {
          channelId,
          messagesPerSecond: perSecond,
          deliveriesPerSecond: weightPerSecond,
          deliveryP99Ms: percentiles.p99,
        };
      });
      const busiest = all.toSorted((a, b) => b.deliveriesPerSecond - a.deliveriesPerSecond);
      const slowest = all.toSorted((a, b) => b.deliveryP99Ms - a.deliveryP99Ms);
      const shown = new Set(slowest.slice(0, Math.floor(limit / 4)));
      for (const one of busiest) {
        if (shown.size >= limit) break;
        shown.add(one);
      }
      return busiest.filter((one) => shown.has(one));
    },
  };
}

/** A `conflict` of these methods is an ordinary answer: another agent or the deadline came first. */
const racingMethods: ReadonlySet<string> = new Set([
  ...['claim', 'claim.release', 'ask.accept', 'ask.decline', 'ask.done', 'question.answer'],
]);

/** True for a refusal that even a well-behaved agent gets when another agent was faster. */
function isLostRace(method: string, outcome: CallOutcome): boolean {
  return outcome === 'superseded' || (outcome === 'conflict' && racingMethods.has(method));
}

/** Counts a limiter's refusals by action. If an agent has its own limit for messages, this limit is checked first. */
export function countRefusals(
  limiter: Limiter,
  { limited }: Pick<Metrics, 'limited'>,
  ownLimiters: ReadonlyMap<string, OwnLimiter>,
): Limiter {
  return {
    limits: limiter.limits,
    consume(action, agentId) {
      const own =
        action === 'message' ? ownLimiters.get(agentId)?.consume(action, agentId) : undefined;
      const decision = own?.allowed === false ? own : limiter.consume(action, agentId);
      if (!decision.allowed) limited.inc({ action });
      return decision;
    },
  };
}

interface Slice {
  startMs: number;
  total: number;
  events: number;
  readonly counts: Uint32Array;
}

/** Two time slices alternate. Their logarithmic buckets take about 2 KiB in all. Recording allocates no memory. */
export class RecentLatency {
  readonly #clock: () => number;
  #current: Slice;
  #previous: Slice;

  constructor(clock = () => performance.now()) {
    this.#clock = clock;
    this.#current = emptySlice(clock());
    this.#previous = emptySlice(clock());
  }

  /** Records the latency `weight` times, for instance once for each receiver. */
  record(latencyMs: number, weight = 1): void {
    this.#turn();
    const { counts } = this.#current;
    const bucket = bucketOf(latencyMs);
    counts[bucket] = (counts[bucket] ?? 0) + weight;
    this.#current.total += weight;
    this.#current.events += 1;
  }

  percentiles(): Percentiles | null {
    this.#turn();
    const total = this.#current.total + this.#previous.total;
    if (total === 0) return null;
    const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => this.#at(Math.ceil(total * share)));
    return { p50: p50 ?? 0, p90: p90 ?? 0, p99: p99 ?? 0 };
  }

  rates(): { readonly perSecond: number; readonly weightPerSecond: number } {
    this.#turn();
    const seconds = Math.max(1, (this.#clock() - this.#previous.startMs) / 1000);
    return {
      perSecond: (this.#current.events + this.#previous.events) / seconds,
      weightPerSecond: (this.#current.total + this.#previous.total) / seconds,
    };
  }

  #at(rank: number): number {
    let seen = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += (this.#current.counts[bucket] ?? 0) + (this.#previous.counts[bucket] ?? 0);
      if (seen >= rank) return latencyOf(bucket);
    }
    return latencyOf(bucketCount - 1);
  }

  #turn(): void {
    const nowMs = this.#clock();
    const passedMs = nowMs - this.#current.startMs;
    if (passedMs < sliceMs) return;
    const oldest = this.#previous;
    this.#previous = this.#current;
    this.#current = oldest;
    empty(oldest, nowMs);
    if (passedMs >= 2 * sliceMs) empty(this.#previous, nowMs);
  }
}

function emptySlice(startMs: number): Slice {
  return { startMs, total: 0, events: 0, counts: new Uint32Array(bucketCount) };
}

function empty(slice: Slice, startMs: number): void {
  slice.counts.fill(0);
  Object.assign(slice, { startMs, total: 0, events: 0 });
}

function bucketOf(latencyMs: number): number {
  const units = Math.min(maxUnits, Math.max(0, Math.round(latencyMs * unitsPerMs)));
  if (units < bucketsPerOctave) return units;
  const octave = 31 - Math.clz32(units) - 4;
  return bucketsPerOctave * (octave + 1) + ((units >> octave) - bucketsPerOctave);
}

function latencyOf(bucket: number): number {
  if (bucket < bucketsPerOctave) return Math.round((bucket / unitsPerMs) * 10) / 10;
  const octave = Math.floor(bucket / bucketsPerOctave) - 1;
  const lowest = ((bucket % bucketsPerOctave) + bucketsPerOctave) * 2 ** octave;
  return Math.round(((lowest + (2 ** octave - 1) / 2) / unitsPerMs) * 10) / 10;
}
