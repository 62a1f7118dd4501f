import type { System } from '../systems/system.ts';

/** The size of a run. */
export interface Effort {
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** The time without traffic before memory is read. */
  readonly settleMs: number;
  readonly contentBytes: number;
  readonly signal: AbortSignal;
}

/** The result of one run. */
export interface Measured {
  /** By the keys of the work's columns; null where it does not apply. */
  readonly values: Readonly<Record<string, number | null>>;
  /** Circumstances that change what the values mean, such as refused messages. */
  readonly notes: readonly string[];
}

export interface Column {
  readonly key: string;
  readonly title: string;
  readonly digits: number;
}

/** A task that every system does, so that the measures can be compared. */
export interface Work {
  /** Unique among the works of a run. */
  readonly name: string;
  readonly description: string;
  readonly columns: readonly Column[];
  /** The column whose range and ratio the report shows; null if a ratio means nothing, as for losses. */
  readonly comparedBy: string | null;
  /** Starts the system with a new Redis, works, and stops both. Rejects soon after `effort.signal` is aborted. */
  run(system: System, effort: Effort): Promise<Measured>;
}
