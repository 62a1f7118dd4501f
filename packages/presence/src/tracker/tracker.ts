import type { Lease, PageOptions, PresencePage } from '../lease-store/lease-store.ts';
import type { PresenceRecord, PresenceState } from '../state.ts';

/** One connection of one agent to this process. No two connections share a sessionId. */
export type Connection = Omit<Lease, 'hubId'>;

/** Called once for each change that this process decided. */
export type PresenceListener = (
  channelId: string,
  record: PresenceRecord,
  /** `degraded`: decided without Redis, from this process' own connections. */
  info: { readonly degraded: boolean },
) => void;

/** The result of a change. */
export interface Decision {
  /** The record that was announced; null when nothing changed. */
  readonly record: PresenceRecord | null;
  readonly degraded: boolean;
}

/** For metrics. */
export interface PresenceStats {
  /** Leases of this process. */
  readonly leases: number;
  /** Changes that were not sent to Redis yet. */
  readonly unsent: number;
  /** Changes made without Redis, to replay when it is back. */
  readonly toReplay: number;
  readonly degraded: boolean;
}

/**
 * Presence of this process' connections. The app says which connection enters and leaves which channel; the tracker
 * keeps the leases, renews them, and reaps the expired leases of other processes. While Redis is away, or refuses
 * writes, it works with this process' connections alone and says `degraded`. When Redis is back it replays what Redis
 * missed, and reaps nothing for one lease, so that other processes can do the same.
 */
export interface PresenceTracker {
  /** Names this process in its leases. */
  readonly hubId: string;
  /** True while Redis is away, refuses writes, or denies presence its calls. Always false without Redis. */
  readonly degraded: boolean;
  /**
   * The connection entered the channel; a second call changes nothing. Fields that `state` leaves out are those of the
   * agent's other connections there, else those that this connection last set, else plain `online`. Sent together with
   * the other changes of the same turn of the event loop. Resolves when decided; rejects with `full`, `invalid_argument`,
   * `closed` or for a bad id, but not because of Redis.
   */
  track(
    channelId: string,
    connection: Connection,
    state?: Partial<PresenceState>,
  ): Promise<Decision>;
  /** The connection left the channel. Resolves with the offline record if it was the agent's last connection there. */
  untrack(channelId: string, connection: Connection): Promise<Decision>;
  /** The connection closed: it leaves all its channels. */
  untrackAll(connection: Connection): Promise<void>;
  /** Sets the agent's state in all channels of the connection, now and later. The agent's last call wins. */
  set(connection: Connection, state: PresenceState): Promise<void>;
  /** One agent; `presence` is null when it is not present. */
  get(
    channelId: string,
    agentId: string,
  ): Promise<{ presence: PresenceRecord | null; degraded: boolean }>;
  /** The agents that are present, sorted by id. */
  list(channelId: string, page?: PageOptions): Promise<PresencePage & { degraded: boolean }>;
  /** Also reaps this channel, in which this process has no connection. Returns a function that ends this. */
  watch(channelId: string): () => void;
  /** Returns a function that removes the listener. */
  onChange(listener: PresenceListener): () => void;
  /** Called when {@link PresenceTracker.degraded} changes. Returns a function that removes the listener. */
  onDegraded(listener: (degraded: boolean) => void): () => void;
  /**
   * Called when Redis was wiped under an intact connection. Living processes write their leases again within a second;
   * an agent that is missing after that has gone, and no reaper can report it. Returns a function that removes the
   * listener.
   */
  onWiped(listener: () => void): () => void;
  stats(): PresenceStats;
  /** Ends and announces all leases of this process, then stops. Idempotent. */
  close(): Promise<void>;
}
