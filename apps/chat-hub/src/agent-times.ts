import { ttlMs } from '@openclaw/key-schema';

/** The times of turns and streams, in milliseconds. All hubs of a fleet must use the same. */
export interface AgentTimes {
  /** How long a turn lasts without a renewal. */
  readonly turnLeaseMs: number;
  /** A stream is interrupted when its author has had no connection for this long. */
  readonly streamAwayMs: number;
  /** A stream is interrupted when its author has appended nothing for this long. */
  readonly streamIdleMs: number;
  /** How often a hub looks for streams to interrupt. */
  readonly streamCheckMs: number;
}

export const agentTimes: AgentTimes = {
  turnLeaseMs: ttlMs.turns,
  streamAwayMs: 30_000,
  streamIdleMs: 600_000,
  streamCheckMs: 5_000,
};
