import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@openclaw/test-support';
import { faultKind } from './faults.ts';
import type { Records } from './subscriber.ts';
import { formatFault, type ScheduledFault } from './schedule.ts';
import type { System } from './system.ts';

const wholeTimeoutMs = 60_000;

/** Each reported violation names the last faults before it. */
export interface FaultLog {
  add(fault: ScheduledFault): { ended(): void };
  /** Returns the last two faults that began before the given time. */
  before(atMs: number): string[];
}

/** Times in the texts are relative to `startMs`. */
export function createFaultLog(startMs: number): FaultLog {
  const entries: { label: string; fromMs: number; toMs: number | null }[] = [];
  const seconds = (atMs: number) => ((atMs - startMs) / 1000).toFixed(1);
  return {
    add(fault) {
      const entry = { label: formatFault(fault), fromMs: Date.now(), toMs: null as number | null };
      entries.push(entry);
      return { ended: () => void (entry.toMs = Date.now()) };
    },
    before: (atMs) =>
      entries
        .filter(({ fromMs }) => fromMs <= atMs)
        .slice(-2)
        .map(
          ({ label, fromMs, toMs }) =>
            `${label} from ${seconds(fromMs)} s${toMs === null ? '' : ` until ${seconds(toMs)} s`}`,
        ),
  };
}

/** Keeps the fault up, at most until the signal aborts. Then undoes the fault and waits for the recovery. */
export async function injectFault(
  system: System,
  fault: ScheduledFault,
  records: Records,
  log: FaultLog,
  signal: AbortSignal,
): Promise<void> {
  const { recovery, presence, violations } = records;
  const kind = faultKind(fault.kind);
  const site = system.sites[fault.hub];
  if (site === undefined) throw new Error(`there is no hub ${fault.hub + 1}`);
  const { overlapping: _, ...alone } = fault;
  const entry = log.add(alone);
  const recovered = recovery.onInjected(fault.kind);
  if (kind.interruptsRedis) presence.onRedisLost();
  try {
    const undo = await kind.inject(system, site, fault.holdMs);
    await delay(fault.holdMs, undefined, { signal }).catch(() => undefined);
    const undoneMs = Date.now();
    await undo();
    let answersMs: number | null = null;
    if (kind.interruptsRedis && system.redis) {
      await system.redis.answers();
      answersMs = Date.now();
    }
    await waitFor(() => system.isWhole(), {
      what: 'every hub ready and with its Redis',
      timeoutMs: wholeTimeoutMs,
      everyMs: 20,
    });
    const wholeMs = Date.now();
    recovered({
      redisBackMs: answersMs === null ? null : wholeMs - answersMs,
      wholeMs: wholeMs - undoneMs,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    violations.add('fault failed', `${formatFault(alone)}: ${why}`);
  } finally {
    if (kind.interruptsRedis) presence.onRedisBack();
    entry.ended();
  }
}
