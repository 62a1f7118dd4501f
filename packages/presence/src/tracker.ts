import type { Lease, PageOptions, PresencePage } from './presence.ts';
import type { PresenceRecord, PresenceState } from './state.ts';

/** One connection of one agent to this process. The sessionId is that of no other connection. */
export type Connection = Omit<Lease, 'hubId'>;

/** Called once for each change that this process decided. */
export type PresenceListener = (
  channelId: string,
  record: PresenceRecord,
  /** `degraded`: decided while Redis was away, from this process' own connections. */
  info: { readonly degraded: boolean },
) => void;

/** What a call came to. */
export interface Decision {
  /** What was told to the listeners; null when it was no news. */
  readonly record: PresenceRecord | null;
  readonly degraded: boolean;
}

/** What a tracker holds; for metrics. */
export interface PresenceStats {
  /** Leases of this process. */
  readonly leases: number;
  /** Changes not sent yet. */
  readonly waiting: number;
  /** Changes to be told to Redis when it is back. */
  readonly late: number;
  readonly degraded: boolean;
}

/**
 * Presence of this process' connections: the app says who came and who went; leases, heartbeats and the reaping of
 * other processes' dead leases are done here. While Redis is away or takes no writes everything goes on with this process'
 * connections alone and says `degraded`; when Redis is back it gets what it missed, and nothing is reaped for one lease.
 */
export interface PresenceTracker {
  /** Under which the leases of this process stand. */
  readonly hubId: string;
  /** True while Redis is away, takes no writes, or denies presence its calls. Never true without Redis. */
  readonly degraded: boolean;
  /**
   * A connection is now in the channel. What `state` leaves out stays as the agent's other connections set it, else as
   * this connection last set it, else `online`. Changes are sent together with others of the same turn of the event
   * loop. Resolves when decided, with the record if it was news; rejects only for what cannot be (`full`,
   * `invalid_argument`, `closed`, a bad id). Asking again changes nothing.
   */
  track(
    channelId: string,
    connection: Connection,
    state?: Partial<PresenceState>,
  ): Promise<Decision>;
  /** The connection left the channel. Resolves with the offline record if it was the agent's last. */
  untrack(channelId: string, connection: Connection): Promise<Decision>;
  /** The connection is closed: it leaves all its channels. */
  untrackAll(connection: Connection): Promise<void>;
  /** Sets the agent's state in all channels of this connection, and in those it joins later. The agent's last call wins. */
  set(connection: Connection, state: PresenceState): Promise<void>;
  /** One agent; `presence` is null when it is not there. */
  get(
    channelId: string,
    agentId: string,
  ): Promise<{ presence: PresenceRecord | null; degraded: boolean }>;
  /** Those present, in the order of their ids. */
  list(channelId: string, page?: PageOptions): Promise<PresencePage & { degraded: boolean }>;
  /** Reaps this channel too, although this process has no connection there. Returns what ends that. */
  watch(channelId: string): () => void;
  /** Returns what removes the listener. */
  onChange(listener: PresenceListener): () => void;
  /** Called when {@link PresenceTracker.degraded} changes. Returns what removes the listener. */
  onDegraded(listener: (degraded: boolean) => void): () => void;
  /**
   * Called when Redis was found to have lost leases of this process though the connection to it held: it was wiped.
   * Living processes write theirs again within a second; who is missing then has gone. Returns what removes the listener.
   */
  onWiped(listener: () => void): () => void;
  stats(): PresenceStats;
  /** Ends all leases of this process (its listeners hear of it), then everything else. Idempotent. */
  close(): Promise<void>;
}
