import type { PresenceError } from './errors.ts';
import type { PresenceRecord, PresenceState } from './state.ts';

/** One connection of one agent. A channel holds an agent present as long as one of its leases lives. */
export interface Lease {
  readonly agentId: string;
  readonly hubId: string;
  readonly sessionId: string;
}

/** What became of one agent in one channel; to be told to whoever watches that channel. */
export interface PresenceChange {
  readonly channelId: string;
  readonly record: PresenceRecord;
}

/** A lease to take. */
export interface JoinEntry {
  readonly channelId: string;
  readonly lease: Lease;
  /** What the agent says of itself now; what is left out stays as its other connections set it. */
  readonly state?: Partial<PresenceState>;
  /** Used instead of a plain `online` if no other connection holds the agent in this channel. */
  readonly initial?: PresenceState;
}

/** What a join came to. */
export interface JoinOutcome {
  readonly record: PresenceRecord;
  /** Whether that is news: the agent was not there, or its state is another. */
  readonly changed: boolean;
}

/** A lease to lengthen, with the state its hub last knew, for the case that the store lost it. */
export interface RenewEntry {
  readonly channelId: string;
  readonly lease: Lease;
  readonly state: PresenceState;
}

/** What a heartbeat found to be other than its hub knew: another hub set a state, or the lease was gone. */
export interface RenewFinding extends PresenceChange {
  /** No lease held the agent any more (reaped, wiped); now this one does. */
  readonly gone: boolean;
  /** Its state was gone too, as after a wipe; of an evicted roster the states stay. */
  readonly stateGone: boolean;
}

/** A state to set. */
export interface UpdateEntry {
  readonly channelId: string;
  readonly agentId: string;
  readonly state: PresenceState;
}

/** A lease to end. */
export interface LeaveEntry {
  readonly channelId: string;
  readonly lease: Lease;
}

/** A page of those present. */
export interface PresencePage {
  /** In the order of their agentIds, each agent once. May be shorter than asked for although more follow. */
  readonly presences: readonly PresenceRecord[];
  /** Pass it to get what follows; null on the last page. */
  readonly nextCursor: string | null;
  /** Live leases (connections) in the channel: at least as many as agents. */
  readonly count: number;
  /** When the page was read, in ms, by the clock of each record's `lastSeen`: a lease ends at `lastSeen + leaseMs`. */
  readonly atMs: number;
}

/** Which page. */
export interface PageOptions {
  readonly cursor?: string | null;
  /** 1 to 200. @default 50 */
  readonly limit?: number;
  /**
   * Also those whose leases have all ended and whom nobody has reaped yet, for who asks whether somebody's end was
   * already told. @default false
   */
  readonly unreaped?: boolean;
}

/**
 * Who is in which channel. Each call decides atomically, so that over any number of hubs each change is reported by
 * exactly one call. Nothing is done by itself: whoever joins must renew before the lease ends, and someone must reap.
 */
export interface LeaseStore {
  /** Takes a lease. Resolves with the record to announce, or null when nothing changed. */
  join(
    channelId: string,
    lease: Lease,
    state?: Partial<PresenceState>,
  ): Promise<PresenceRecord | null>;
  /** Takes many, in one round trip. Each place holds the outcome or the error of that entry. */
  joinMany(entries: readonly JoinEntry[]): Promise<(JoinOutcome | PresenceError)[]>;
  /**
   * Sets the agent's state in those channels where a lease holds it: its last call wins over all its connections.
   * Resolves with what changed.
   */
  update(
    channelIds: readonly string[],
    agentId: string,
    state: PresenceState,
  ): Promise<PresenceChange[]>;
  /** Sets many, in one round trip. Each place holds the record if it changed, else null, or the error of that entry. */
  updateMany(entries: readonly UpdateEntry[]): Promise<(PresenceRecord | null | PresenceError)[]>;
  /** The heartbeat of many leases, in one round trip. An unchanged one resolves with nothing. */
  renew(entries: readonly RenewEntry[]): Promise<RenewFinding[]>;
  /** Ends a lease. Resolves with the offline record when it was the agent's last, else null. */
  leave(channelId: string, lease: Lease): Promise<PresenceRecord | null>;
  /** Ends many, in one round trip. Each place holds what {@link LeaseStore.leave} gives, or the error of that entry. */
  leaveMany(entries: readonly LeaveEntry[]): Promise<(PresenceRecord | null | PresenceError)[]>;
  /** One agent, or null when no live lease holds it. Writes nothing: reading never revives. */
  get(channelId: string, agentId: string): Promise<PresenceRecord | null>;
  /** Those whom a live lease holds, or, with `unreaped`, any lease. Writes nothing. */
  list(channelId: string, page?: PageOptions): Promise<PresencePage>;
  /**
   * Ends the leases that have expired in these channels. Of all callers, exactly one gets an agent's offline record.
   * What fails for one channel is left for the next call; rejects only if nothing could be sent.
   */
  reap(channelIds: readonly string[]): Promise<PresenceChange[]>;
  /** Later calls reject with `closed`. */
  close(): Promise<void>;
}
