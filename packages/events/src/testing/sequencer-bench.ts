import type { EncodedEnvelope } from '@openclaw/protocol';
import type { EventsError } from '../errors.ts';
import {
  createSequencer,
  type EventSource,
  type Sequencer,
  type SequencerOptions,
  type SequencerTotals,
} from '../sequencer.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { sampleMessage } from './sample-events.ts';

export interface PendingFetch {
  readonly after: number;
  readonly limit: number;
  answer(): Promise<void>;
  answerWith(page: readonly EncodedEnvelope[]): Promise<void>;
  fail(error: Error): Promise<void>;
}

export interface SequencerBench {
  readonly sequencer: Sequencer;
  readonly clock: ManualClock;
  readonly log: EncodedEnvelope[];
  readonly delivered: EncodedEnvelope[];
  readonly sources: EventSource[];
  readonly fetches: PendingFetch[];
  readonly errors: EventsError[];
  readonly foreign: EncodedEnvelope[];
  seqs(): (number | null)[];
  event(seq: number): EncodedEnvelope;
}

/** Runs the callbacks of settled promises. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
}

export function createSequencerBench(
  length: number,
  {
    head = 0,
    onDeliver,
    totals,
    ...options
  }: SequencerOptions & {
    head?: number;
    onDeliver?: (event: EncodedEnvelope) => void;
    totals?: SequencerTotals;
  } = {},
): SequencerBench {
  const clock = createManualClock();
  const log = Array.from({ length }, (_, index) => sampleMessage({ seq: index + 1 }));
  const delivered: EncodedEnvelope[] = [];
  const sources: EventSource[] = [];
  const fetches: PendingFetch[] = [];
  const errors: EventsError[] = [];
  const foreign: EncodedEnvelope[] = [];

  function fetch(after: number, limit: number): Promise<readonly EncodedEnvelope[]> {
    let resolve!: (page: readonly EncodedEnvelope[]) => void;
    let reject!: (error: Error) => void;
    const promise = new Promise<readonly EncodedEnvelope[]>((...settlers) => {
      [resolve, reject] = settlers;
    });
    const settle = async (act: () => void) => {
      fetches.splice(fetches.indexOf(pending), 1);
      act();
      await settled();
      clock.advance(0);
    };
    const pending: PendingFetch = {
      after,
      limit,
      answer: () => settle(() => resolve(log.slice(after, after + limit))),
      answerWith: (page) => settle(() => resolve(page)),
      fail: (error) => settle(() => reject(error)),
    };
    fetches.push(pending);
    return promise;
  }

  const sequencer = createSequencer(
    {
      channelId: 'general',
      epoch: 'epoch-1',
      head,
      deliver(event, source) {
        delivered.push(event);
        sources.push(source);
        onDeliver?.(event);
      },
      fetch,
      onForeignEpoch: (event) => foreign.push(event),
      ...(totals && { totals }),
      onError: (error) => errors.push(error),
      schedule: clock.schedule,
    },
    { random: () => 0, ...options },
  );
  return {
    sequencer,
    clock,
    log,
    delivered,
    sources,
    fetches,
    errors,
    foreign,
    seqs: () => delivered.map(({ seq }) => seq),
    event(seq) {
      const event = log[seq - 1];
      if (event === undefined) throw new Error(`the log ends before ${seq}`);
      return event;
    },
  };
}
