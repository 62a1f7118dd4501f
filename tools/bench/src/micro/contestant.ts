import type { RedisServer } from '@openclaw/test-support';

/** One way to do the same thing. */
export interface Contestant extends AsyncDisposable {
  readonly name: string;
  /** Its guarantees, because contestants differ in them. */
  readonly promise: string;
  /** Does it once. `at` counts the operations from 0 on. */
  operate(at: number): Promise<unknown>;
}

/** One operation of a package, and other ways to do it. */
export interface Comparison {
  readonly name: string;
  readonly description: string;
  /** Operations at a time. */
  readonly concurrency: number;
  readonly contestants: readonly ContestantSource[];
}

/** Creates a contestant, or returns why it cannot run here. */
export type ContestantSource = (redis: RedisServer) => Promise<Contestant | string>;
