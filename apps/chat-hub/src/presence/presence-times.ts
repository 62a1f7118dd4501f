/** The times by which a hub keeps presence, in milliseconds. All hubs of a Redis use the same. */
export interface PresenceTimes {
  /** A socket's lease: it outlives its hub by at most this. */
  readonly leaseMs: number;
  /** How often each lease is renewed; at most a third of a lease. */
  readonly heartbeatMs: number;
  /** How often the roster of each live channel is compared with what its sockets were told. */
  readonly compareMs: number;
}

/** What hubs use; tests may hurry. */
export const presenceTimes: PresenceTimes = {
  leaseMs: 30_000,
  heartbeatMs: 10_000,
  compareMs: 15_000,
};
