import { ttlMs } from '@openclaw/key-schema';

/** All hubs of a fleet must use the same times. */
export interface AgentTimes {
  readonly turnLeaseMs: number;
  /** A growing message is ended when its author has had no connection for this time. */
  readonly streamAwayMs: number;
  /** A growing message is ended when its author has appended nothing for this time. */
  readonly streamIdleMs: number;
  readonly streamCheckMs: number;
}

export const agentTimes: AgentTimes = {
  turnLeaseMs: ttlMs.turns,
  streamAwayMs: 30_000,
  streamIdleMs: 600_000,
  streamCheckMs: 5_000,
};
