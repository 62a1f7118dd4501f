import { ttlMs } from '@openclaw/key-schema';

/** All hubs of a fleet must use the same times. */
export interface AgentTimes {
  readonly turnLeaseMs: number;
  /** Counts from the end of the author's last connection. */
  readonly streamAwayMs: number;
  /** Counts from the author's last append. */
  readonly streamIdleMs: number;
  readonly streamCheckMs: number;
}

export const agentTimes: AgentTimes = {
  turnLeaseMs: ttlMs.turns,
  streamAwayMs: 30_000,
  streamIdleMs: 600_000,
  streamCheckMs: 5_000,
};
