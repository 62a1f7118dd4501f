import type { RedisServer } from '@openclaw/test-support';

export interface Contestant extends AsyncDisposable {
  readonly name: string;
  /** Its guarantees, which differ between contestants. */
  readonly promise: string;
  /** Runs the operation once. `at` counts the operations, from 0. */
  operate(at: number): Promise<unknown>;
}

/** One operation of a package, and other implementations of it. */
export interface Comparison {
  readonly name: string;
  readonly description: string;
  /** Concurrent operations. */
  readonly concurrency: number;
  readonly contestants: readonly ContestantSource[];
}

/** Creates a contestant, or returns the reason why it cannot run here. */
export type ContestantSource = (redis: RedisServer) => Promise<Contestant | string>;
