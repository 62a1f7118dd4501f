import { checkId, encodeRosterMember, isNameId, parseRosterMember } from '@openclaw/key-schema';
import { PresenceError } from '../errors.ts';
import type { PresenceRecord, PresenceState } from '../state.ts';

/** One connection of one agent. An agent is present in a channel while one of its leases there lasts. */
export interface Lease {
  readonly agentId: string;
  readonly hubId: string;
  readonly sessionId: string;
}

/** A change of one agent in one channel, to announce to everyone who watches that channel. */
export interface PresenceChange {
  readonly channelId: string;
  readonly record: PresenceRecord;
}

export interface JoinEntry {
  readonly channelId: string;
  readonly lease: Lease;
  /** Omitted fields keep the values of the agent's other connections. */
  readonly state?: Partial<PresenceState>;
  /** The state if no other connection of the agent is in this channel. @default online, without texts */
  readonly initial?: PresenceState;
}

export interface JoinOutcome {
  readonly record: PresenceRecord;
  /** True when the agent was not present before, or its state changed. */
  readonly changed: boolean;
}

export interface RenewEntry {
  readonly channelId: string;
  readonly lease: Lease;
  /** The state as the hub knows it, to be restored if the store has lost it. */
  readonly state: PresenceState;
}

/** A difference found by a renewal: another hub set a state, or the lease was gone. */
export interface RenewFinding extends PresenceChange {
  /** True when the agent had no lease before this renewal: it was reaped or wiped. */
  readonly gone: boolean;
  /** True when the state was lost too, as after a wipe. If Redis evicts only the roster, states remain. */
  readonly stateGone: boolean;
}

export interface UpdateEntry {
  readonly channelId: string;
  readonly agentId: string;
  readonly state: PresenceState;
}

export interface LeaveEntry {
  readonly channelId: string;
  readonly lease: Lease;
}

export interface PresencePage {
  /** Sorted by agentId, each agent once. The page may be shorter than the limit although more agents follow. */
  readonly presences: readonly PresenceRecord[];
  /** The cursor of the next page; null on the last page. */
  readonly nextCursor: string | null;
  /** Leases (connections) in the channel that have not expired: at least as many as agents. */
  readonly count: number;
  /** The time at which the page was read, on the clock of `lastSeen`. A lease ends at `lastSeen + leaseMs`. */
  readonly atMs: number;
}

/** One connection of one agent in a channel. */
export interface ConnectionEntry extends Lease {
  /** The time at which its lease ends unless it is renewed, on the clock of `lastSeen`. */
  readonly endsAtMs: number;
}

export interface ConnectionPage {
  /** Sorted by agentId, hubId and sessionId. May be shorter than the limit although more connections follow. */
  readonly connections: readonly ConnectionEntry[];
  /** The cursor of the next page; null on the last page. */
  readonly nextCursor: string | null;
  /** The time at which the page was read, on the clock of `endsAtMs`. */
  readonly atMs: number;
}

export interface ConnectionPageOptions {
  /** Lists the connections of this agent alone. */
  readonly agentId?: string;
  readonly cursor?: string | null;
  /** 1 to 200. @default 50 */
  readonly limit?: number;
}

export interface PageOptions {
  readonly cursor?: string | null;
  /** 1 to 200. @default 50 */
  readonly limit?: number;
  /**
   * Includes agents whose expired leases were not reaped yet, so that their offline event is still pending.
   * @default false
   */
  readonly unreaped?: boolean;
}

/**
 * Keeps the leases of all channels, in Redis or in memory. Each call decides atomically: over any number of hubs,
 * exactly one call reports each change. A store has no timers: the caller renews its leases and reaps. Every method
 * rejects with `closed` after `close()`, and with a `KeySchemaError` for a bad id.
 */
export interface LeaseStore {
  /** Takes a lease. Resolves with the record to announce, or null when nothing changed. */
  join(
    channelId: string,
    lease: Lease,
    state?: Partial<PresenceState>,
  ): Promise<PresenceRecord | null>;
  /** Takes many leases in one round trip. Resolves with one outcome or error for each entry. */
  joinMany(entries: readonly JoinEntry[]): Promise<(JoinOutcome | PresenceError)[]>;
  /**
   * Sets the agent's state in those of the channels where it is present. The last call for an agent applies to all its
   * connections. Resolves with the changes.
   */
  update(
    channelIds: readonly string[],
    agentId: string,
    state: PresenceState,
  ): Promise<PresenceChange[]>;
  /**
   * Sets many states in one round trip. Resolves, for each entry, with the changed record, with null when nothing
   * changed, or with an error.
   */
  updateMany(entries: readonly UpdateEntry[]): Promise<(PresenceRecord | null | PresenceError)[]>;
  /** Renews many leases in one round trip. Resolves with the differences from the given entries. */
  renew(entries: readonly RenewEntry[]): Promise<RenewFinding[]>;
  /** Ends a lease. Resolves with the offline record when it was the agent's last lease, else null. */
  leave(channelId: string, lease: Lease): Promise<PresenceRecord | null>;
  /**
   * Ends many leases in one round trip. Resolves, for each entry, with the result of {@link LeaseStore.leave} or an
   * error.
   */
  leaveMany(entries: readonly LeaveEntry[]): Promise<(PresenceRecord | null | PresenceError)[]>;
  /** The agent's record, or null when it is not present. Writes nothing, so a read never revives an expired lease. */
  get(channelId: string, agentId: string): Promise<PresenceRecord | null>;
  /** The agents that are present. Writes nothing. */
  list(channelId: string, page?: PageOptions): Promise<PresencePage>;
  /** Lists the connections in the channel whose leases have not expired. Writes nothing. One round trip. */
  listConnections(channelId: string, page?: ConnectionPageOptions): Promise<ConnectionPage>;
  /**
   * Ends the expired leases of these channels. Exactly one caller gets the offline record of an agent. The next call
   * retries a channel that fails. Rejects only if nothing could be sent.
   */
  reap(channelIds: readonly string[]): Promise<PresenceChange[]>;
  close(): Promise<void>;
}

/** @throws {KeySchemaError} `invalid_id` */
export function checkLease({ channelId, lease }: LeaveEntry): void {
  checkId(channelId);
  encodeRosterMember(lease);
}

const maxPage = 200;

function checkLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= maxPage) return;
  throw new PresenceError('invalid_argument', `limit must be from 1 to ${maxPage}`);
}

/**
 * The options of a page of connections. An empty agentId or cursor stands for none.
 * @throws {PresenceError} `invalid_argument`
 * @throws {KeySchemaError} `invalid_id`
 */
export function parseConnectionPage({ agentId, cursor, limit = 50 }: ConnectionPageOptions): {
  agentId: string;
  cursor: string;
  limit: number;
} {
  checkLimit(limit);
  if (agentId !== undefined) checkId(agentId);
  if (cursor !== undefined && cursor !== null && parseRosterMember(cursor) === null) {
    throw new PresenceError('invalid_argument', 'cursor must be the nextCursor of an earlier page');
  }
  return { agentId: agentId ?? '', cursor: cursor ?? '', limit };
}

/** @throws {PresenceError} `invalid_argument` */
export function parsePage({ cursor, limit = 50, unreaped = false }: PageOptions): {
  cursor: string;
  limit: number;
  unreaped: boolean;
} {
  checkLimit(limit);
  if (cursor !== undefined && cursor !== null && !isNameId(cursor)) {
    throw new PresenceError('invalid_argument', 'cursor must be the nextCursor of an earlier page');
  }
  return { cursor: cursor ?? '', limit, unreaped };
}

/** Adds the calls for a single lease or agent, which use the calls for many. */
export function withSingleCalls(many: Omit<LeaseStore, 'join' | 'update' | 'leave'>): LeaseStore {
  return {
    ...many,
    async join(channelId, lease, state = {}) {
      const [outcome] = await many.joinMany([{ channelId, lease, state }]);
      if (outcome instanceof PresenceError) throw outcome;
      return outcome?.changed ? outcome.record : null;
    },
    async update(channelIds, agentId, state) {
      checkId(agentId);
      const entries = channelIds.map((channelId) => ({ channelId, agentId, state }));
      const records = await many.updateMany(entries);
      return records.flatMap((record, at): PresenceChange[] => {
        if (record instanceof PresenceError) throw record;
        return record ? [{ channelId: channelIds[at]!, record }] : [];
      });
    },
    async leave(channelId, lease) {
      const [record] = await many.leaveMany([{ channelId, lease }]);
      if (record instanceof PresenceError) throw record;
      return record ?? null;
    },
  };
}
