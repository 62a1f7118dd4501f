/** The times of a hub's presence, in milliseconds. All hubs that share a Redis must use the same. */
export interface PresenceTimes {
  /** How long the lease of a socket outlives its hub, at most. */
  readonly leaseMs: number;
  /** How often each lease is renewed; at most a third of a lease. */
  readonly heartbeatMs: number;
  /** How often the roster of each live channel is compared with what its sockets know. */
  readonly compareMs: number;
}

/** The times of a hub in production. */
export const presenceTimes: PresenceTimes = {
  leaseMs: 30_000,
  heartbeatMs: 10_000,
  compareMs: 15_000,
};
