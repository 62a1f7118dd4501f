import { setTimeout as delay } from 'node:timers/promises';
import type { Fleet } from './fleet.ts';
import { createOperations, type OperationKind } from './operations.ts';
import type { Random } from './random.ts';
import type { Records } from './subscriber.ts';
import { codeOf } from './sender.ts';

export interface Workload {
  readonly skipped: number;
  /** Starts no more operations. Resolves when every operation is answered, or after `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
}

export interface WorkloadOptions {
  readonly rate: number;
  readonly guestEveryMs: number;
  readonly guestStayMs: readonly [min: number, max: number];
}

const tickMs = 5;
const unansweredMax = 5_000;

function draw(kinds: readonly OperationKind[], random: Random): OperationKind {
  const total = kinds.reduce((sum, { weight }) => sum + weight, 0);
  let at = random.next() * total;
  return kinds.find(({ weight }) => (at -= weight) < 0) ?? (kinds[0] as OperationKind);
}

/** Starts each operation at its due time, even if earlier ones are unanswered. */
export function startWorkload(
  fleet: Fleet,
  random: Random,
  { ledger }: Records,
  options: WorkloadOptions,
): Workload {
  const startMs = Date.now();
  const kinds = createOperations(fleet, ledger, random);
  const running = new Set<Promise<void>>();
  const stopped = new AbortController();
  let begun = 0;
  let skipped = 0;
  let nextGuestMs = startMs + options.guestEveryMs;

  /** Any error other than a HubError is a bug of this program, and ends the process. */
  function run(name: string, work: () => Promise<void>) {
    const done = work()
      .catch((error: unknown) => ledger.sends.erred(`${name} ${codeOf(error)}`))
      .finally(() => running.delete(done));
    running.add(done);
  }

  async function visit() {
    const leave = await fleet.invite();
    const stayMs = random.between(...options.guestStayMs);
    await delay(stayMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    await leave();
  }

  const timer = setInterval(() => {
    const nowMs = Date.now();
    const due = Math.floor(((nowMs - startMs) / 1000) * options.rate);
    for (; begun < due; begun += 1) {
      if (running.size >= unansweredMax) {
        skipped += 1;
        continue;
      }
      const { name, act } = draw(kinds, random);
      run(name, () => act(random.pick(fleet.subscribers), begun));
    }
    if (nowMs < nextGuestMs) return;
    nextGuestMs = nowMs + options.guestEveryMs;
    run('visit', visit);
  }, tickMs);

  return {
    get skipped() {
      return skipped;
    },
    async stop(timeoutMs) {
      clearInterval(timer);
      stopped.abort();
      const endMs = Date.now() + timeoutMs;
      while (running.size > 0 && Date.now() < endMs) await delay(20);
    },
  };
}
