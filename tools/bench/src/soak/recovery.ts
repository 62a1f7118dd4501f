import { spreadOf, type Spread } from '../statistics.ts';
import type { FaultName } from './faults.ts';

/** What one kind of fault did to the time that things take. */
export interface KindRecovery {
  readonly kind: FaultName;
  readonly count: number;
  /** The slowest delivery to a subscriber that was connected since before the commit. */
  readonly slowestLive: Spread | null;
  /** The slowest delivery to any subscriber, also those that had to come back first. */
  readonly slowestAny: Spread | null;
  /** From Redis' first PING answer until every hub's /readyz says so; where the fault took Redis. */
  readonly redisBack: Spread | null;
  /** From the undoing of the fault until every hub's /readyz is whole. */
  readonly whole: Spread | null;
}

/** Measures the time from fault to recovery. */
export interface Recovery {
  /** The returned function is told when all is whole again: how long after Redis answered, and after it was undone. */
  onInjected(
    kind: FaultName,
  ): (times: { readonly redisBackMs: number | null; readonly wholeMs: number }) => void;
  /** Something was delivered so long after its commit; `isLive`: to one connected since before it. */
  onDelivered(lagMs: number, isLive: boolean): void;
  /** True when no fault was struck within the last `ms` and none is being recovered from. */
  isCalm(ms: number): boolean;
  /** The slowest delivery to a connected subscriber outside of any fault's time. */
  readonly calm: { readonly deliveries: number; readonly slowestMs: number };
  report(): KindRecovery[];
}

/** Deliveries until so long after a recovery count as the fault's. */
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
  /** Those whose time has not passed. */
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
