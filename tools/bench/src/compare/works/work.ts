import type { System } from '../systems/system.ts';

export interface Effort {
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** The time without traffic before memory is read. */
  readonly settleMs: number;
  readonly contentBytes: number;
  readonly signal: AbortSignal;
}

export interface Measured {
  /** Maps the key of each column to its value. The value is null where the column does not apply. */
  readonly values: Readonly<Record<string, number | null>>;
  readonly notes: readonly string[];
}

export interface Column {
  readonly key: string;
  readonly title: string;
  readonly digits: number;
}

export interface Work {
  readonly name: string;
  readonly description: string;
  readonly columns: readonly Column[];
  /** The key of the column whose range and ratio the report shows; null if a ratio means nothing, as for losses. */
  readonly comparedBy: string | null;
  /** Starts the system with a new Redis, works, and stops both. Rejects soon after `effort.signal` aborts. */
  run(system: System, effort: Effort): Promise<Measured>;
}
