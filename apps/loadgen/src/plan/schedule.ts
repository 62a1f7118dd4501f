import { operationKinds, type Burst, type OperationKind, type Rates } from './plan.ts';

export interface DueOperation {
  readonly kind: OperationKind;
  readonly agent: number;
  readonly turn: number;
  readonly dueMs: number;
}

/** The times of operations are fixed and do not wait for a slow hub, so the hub's delay is measured. */
export interface Schedule {
  take(nowMs: number): DueOperation | undefined;
  readonly nextDueMs: number;
}

export interface ScheduleOptions {
  readonly startMs: number;
  readonly endMs: number;
  readonly agents: number;
  readonly rates: Rates;
  readonly burst: Burst | null;
  /** Every thread has the whole schedule. `take` returns only the operations of the thread's own agents. */
  readonly isOurs: (agent: number) => boolean;
}

// Different strides spread the kinds of operation over the agents.
const strides: Readonly<Record<OperationKind, number>> = {
  message: 1,
  typing: 7,
  presence: 11,
  reaction: 13,
  reply: 17,
  direct: 19,
  history: 23,
  rejoin: 29,
};

export function createSchedule({
  startMs,
  endMs,
  agents,
  rates,
  burst,
  isOurs,
}: ScheduleOptions): Schedule {
  const streams = operationKinds
    .filter((kind) => rates[kind] > 0)
    .map((kind) => {
      const offsetMs = createPace(rates[kind], kind === 'message' ? burst : null);
      return { kind, offsetMs, turn: -1, agent: 0, dueMs: startMs };
    });
  for (const stream of streams) advance(stream);

  function advance(stream: (typeof streams)[number]) {
    do {
      stream.turn += 1;
      // Adding fractions would accumulate rounding errors, so the time is computed from the start.
      stream.dueMs = startMs + stream.offsetMs(stream.turn);
      stream.agent = (stream.turn * strideOf(stream.kind, agents)) % agents;
    } while (stream.dueMs < endMs && !isOurs(stream.agent));
    if (stream.dueMs >= endMs) stream.dueMs = Infinity;
  }

  function first() {
    let next = streams[0];
    for (const stream of streams)
      if (next === undefined || stream.dueMs < next.dueMs) next = stream;
    return next;
  }

  return {
    take(nowMs) {
      const stream = first();
      if (stream === undefined || stream.dueMs === Infinity || stream.dueMs > nowMs)
        return undefined;
      const { kind, agent, turn, dueMs } = stream;
      advance(stream);
      return { kind, agent, turn, dueMs };
    },
    get nextDueMs() {
      return first()?.dueMs ?? Infinity;
    },
  };
}

/** Returns the time of each turn, counted from the start of the schedule. `rate` is per second, outside the bursts. */
export function createPace(rate: number, burst: Burst | null): (turn: number) => number {
  if (burst === null) return (turn) => (turn * 1000) / rate;
  const { everyMs, lengthMs, factor } = burst;
  const turnsInBurst = (rate * factor * lengthMs) / 1000;
  const turnsInPeriod = turnsInBurst + (rate * (everyMs - lengthMs)) / 1000;
  return (turn) => {
    const period = Math.floor(turn / turnsInPeriod);
    const rest = turn - period * turnsInPeriod;
    const offsetMs =
      rest < turnsInBurst
        ? (rest * 1000) / (rate * factor)
        : lengthMs + ((rest - turnsInBurst) * 1000) / rate;
    return period * everyMs + offsetMs;
  };
}

/** The stride is coprime to the number of agents, so its steps visit all agents. */
function strideOf(kind: OperationKind, agents: number): number {
  let stride = strides[kind] % agents || 1;
  while (greatestCommonDivisor(stride, agents) !== 1) stride += 1;
  return stride;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
