import type { EncodedEnvelope } from '@openclaw/protocol';
import { LRUCache } from 'lru-cache';
import type { Delivery } from '../channels/flusher.ts';
import { RecentLatency, type Percentiles } from './recent-latency.ts';

/** The recent traffic of a channel. */
export interface ChannelTraffic {
  readonly channelId: string;
  readonly messagesPerSecond: number;
  readonly deliveriesPerSecond: number;
  readonly deliveryP99Ms: number;
}

/** Measures what this hub delivers: how much, with what latency, in which channels. */
export interface Traffic {
  /** The deliveries that one turn wrote to sockets. */
  written(deliveries: readonly Delivery[]): void;
  /** Durable events so far. */
  readonly events: number;
  latency(): Percentiles | null;
  /** The busiest and the slowest channels of the last seconds, sorted by deliveries. A quarter are the slowest. */
  channels(limit: number): ChannelTraffic[];
}

/** Options of {@link createTraffic}. */
export interface TrafficOptions {
  /** Called with the latency of each durable event. */
  readonly onLatency: (latencyMs: number) => void;
  /** Channels that are measured; the one that was silent longest is evicted. @default 500 */
  readonly maxChannels?: number;
  /** Epoch ms, as in timestamps. @default Date.now */
  readonly clock?: () => number;
}

/** Creates the measurement. Its cost grows with events, not with deliveries. */
export function createTraffic({
  onLatency,
  maxChannels = 500,
  clock = Date.now,
}: TrafficOptions): Traffic {
  const overall = new RecentLatency();
  const channels = new LRUCache<string, RecentLatency>({ max: maxChannels });
  let events = 0;

  function measureOf(channelId: string): RecentLatency {
    const measure = channels.get(channelId) ?? new RecentLatency();
    channels.set(channelId, measure);
    return measure;
  }

  return {
    written(deliveries) {
      const nowMs = clock();
      for (const { channelId, events: these, sockets } of deliveries) {
        const durable = these.filter(isDurable);
        if (durable.length === 0) continue;
        const measure = measureOf(channelId);
        for (const { timestamp } of durable) {
          // The timestamp is the database's: its clock may be ahead.
          const latencyMs = Math.max(0, nowMs - timestamp);
          measure.record(latencyMs, sockets);
          overall.record(latencyMs, sockets);
          onLatency(latencyMs);
        }
        events += durable.length;
      }
    },
    get events() {
      return events;
    },
    latency: () => overall.percentiles(),
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

function isDurable({ seq }: EncodedEnvelope): boolean {
  return seq !== null;
}
