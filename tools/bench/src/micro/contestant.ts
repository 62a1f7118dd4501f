import type { RedisServer } from '@openclaw/test-support';

export interface Contestant extends AsyncDisposable {
  readonly name: string;
  readonly promise: string;
  /** `at` counts the operations, from 0. */
  operate(at: number): Promise<unknown>;
}

export interface Comparison {
  readonly name: string;
  readonly description: string;
  readonly concurrency: number;
  readonly contestants: readonly ContestantSource[];
}

/** Returns the reason if the contestant cannot run here. */
export type ContestantSource = (redis: RedisServer) => Promise<Contestant | string>;
