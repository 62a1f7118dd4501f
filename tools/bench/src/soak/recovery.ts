import { spreadOf, type Spread } from '../statistics.ts';
import type { FaultName } from './faults.ts';

export interface KindRecovery {
  readonly kind: FaultName;
  readonly count: number;
  /** Counts only deliveries to subscribers that were connected at the commit. */
  readonly slowestLive: Spread | null;
  readonly slowestAny: Spread | null;
  /** The time from Redis' first answer to PING until every hub's /readyz reports Redis as ok. */
  readonly redisBack: Spread | null;
  /** The time from the end of the fault until every hub is ready and has Redis. */
  readonly whole: Spread | null;
}

export interface Recovery {
  /** Call it when a fault begins. When the system has recovered, call the returned function with the recovery times. */
  onInjected(
    kind: FaultName,
  ): (times: { readonly redisBackMs: number | null; readonly wholeMs: number }) => void;
  /**
   * `lagMs` is the time from commit to delivery. `isLive` is true when the subscriber was connected at the commit.
   */
  onDelivered(lagMs: number, isLive: boolean): void;
  /** True if no fault was active in the last `ms`. A fault is active until the system has recovered. */
  isCalm(ms: number): boolean;
  /** Counts only deliveries to connected subscribers while no fault is active. */
  readonly calm: { readonly deliveries: number; readonly slowestMs: number };
  report(): KindRecovery[];
}

/** Deliveries within this time after the recovery still count for the fault. */
const afterMs = 5_000;

interface Episode {
  readonly kind: FaultName;
  live: number;
  any: number;
  redisBackMs: number | null;
  wholeMs: number | null;
  endMs: number;
}

export function createRecovery(now: () => number = Date.now): Recovery {
  const episodes: Episode[] = [];
  let ongoing: Episode[] = [];
  const calm = { deliveries: 0, slowestMs: 0 };
  return {
    onInjected(kind) {
      const episode: Episode = {
        kind,
        live: 0,
        any: 0,
        redisBackMs: null,
        wholeMs: null,
        endMs: Infinity,
      };
      episodes.push(episode);
      ongoing.push(episode);
      return (times) => void Object.assign(episode, times, { endMs: now() + afterMs });
    },
    onDelivered(lagMs, isLive) {
      const nowMs = now();
      if (ongoing.some(({ endMs }) => endMs < nowMs))
        ongoing = ongoing.filter(({ endMs }) => endMs >= nowMs);
      for (const episode of ongoing) {
        episode.any = Math.max(episode.any, lagMs);
        if (isLive) episode.live = Math.max(episode.live, lagMs);
      }
      if (ongoing.length > 0 || !isLive) return;
      calm.deliveries += 1;
      calm.slowestMs = Math.max(calm.slowestMs, lagMs);
    },
    isCalm: (ms) => episodes.every(({ endMs }) => endMs + ms < now()),
    calm,
    report() {
      const kinds = [...new Set(episodes.map(({ kind }) => kind))].sort();
      return kinds.map((kind) => {
        const of = episodes.filter((episode) => episode.kind === kind);
        return {
          kind,
          count: of.length,
          slowestLive: spreadOf(of.map(({ live }) => live)),
          slowestAny: spreadOf(of.map(({ any }) => any)),
          redisBack: spreadOf(of.flatMap(({ redisBackMs }) => redisBackMs ?? [])),
          whole: spreadOf(of.flatMap(({ wholeMs }) => wholeMs ?? [])),
        };
      });
    },
  };
}
