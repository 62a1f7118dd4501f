/** What an agent does. */
export type OperationKind = 'message' | 'typing' | 'presence' | 'reaction';

/** Something that is due. */
export interface DueOperation {
  readonly kind: OperationKind;
  /** The agent's number. */
  readonly agent: number;
  /** Counts the operations of this kind, from 0. */
  readonly turn: number;
  readonly dueMs: number;
}

/** Operations at times fixed beforehand: a hub that falls behind gets no rest, and its lag shows. */
export interface Schedule {
  /** The next operation that is due by then, once; undefined when there is none. */
  take(nowMs: number): DueOperation | undefined;
  /** When the next is due; Infinity past the end. */
  readonly nextDueMs: number;
}

/** Options of {@link createSchedule}. */
export interface ScheduleOptions {
  readonly startMs: number;
  readonly endMs: number;
  readonly agents: number;
  /** A second, of each kind, over all agents. */
  readonly rates: Readonly<Record<OperationKind, number>>;
  /** Only operations of these agents are taken; every thread makes the same schedule. */
  readonly isOurs: (agent: number) => boolean;
}

// Different strides keep the same agent from doing everything at once.
const strides: Readonly<Record<OperationKind, number>> = {
  message: 1,
  typing: 7,
  presence: 11,
  reaction: 13,
};

/** A schedule in which the agents take turns. */
export function createSchedule({
  startMs,
  endMs,
  agents,
  rates,
  isOurs,
}: ScheduleOptions): Schedule {
  const streams = (Object.keys(rates) as OperationKind[])
    .filter((kind) => rates[kind] > 0)
    .map((kind) => ({ kind, everyMs: 1000 / rates[kind], turn: -1, agent: 0, dueMs: startMs }));
  for (const stream of streams) advance(stream);

  function advance(stream: (typeof streams)[number]) {
    do {
      stream.turn += 1;
      // From the start each time: sums of fractions drift.
      stream.dueMs = startMs + stream.turn * stream.everyMs;
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

/** A stride that visits every agent before it visits one again. */
function strideOf(kind: OperationKind, agents: number): number {
  let stride = strides[kind] % agents || 1;
  while (greatestCommonDivisor(stride, agents) !== 1) stride += 1;
  return stride;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
