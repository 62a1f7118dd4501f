import { checkId, encodeRosterMember, isNameId, parseRosterMember } from '@openclaw/key-schema';
import { PresenceError } from '../errors.ts';
import type { PresenceRecord, PresenceState } from '../state.ts';

/** One connection of an agent. An agent is present in a channel while one of its leases there lasts. */
export interface Lease {
  readonly agentId: string;
  readonly hubId: string;
  readonly sessionId: string;
}

export interface PresenceChange {
  readonly channelId: string;
  readonly record: PresenceRecord;
}

export interface JoinEntry {
  readonly channelId: string;
  readonly lease: Lease;
  /** Omitted fields keep the values of the agent's other connections. */
  readonly state?: Partial<PresenceState>;
  /** Used if the agent has no other connection in this channel. @default online, without texts */
  readonly initial?: PresenceState;
}

export interface JoinOutcome {
  readonly record: PresenceRecord;
  /** True if the agent was absent, or if its state changed. */
  readonly changed: boolean;
}

export interface RenewEntry {
  readonly channelId: string;
  readonly lease: Lease;
  /** The state that the hub knows, in case the store has lost it. */
  readonly state: PresenceState;
}

export interface RenewFinding extends PresenceChange {
  /** True if the agent had no lease before this renewal. */
  readonly gone: boolean;
  /** True if the state was lost too, as in a wipe. An eviction of only the roster keeps the states. */
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
  /** Sorted by agentId. May be shorter than the limit although more agents follow. */
  readonly presences: readonly PresenceRecord[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
  /** The number of unexpired leases in the channel. An agent may have several. */
  readonly count: number;
  /** When the page was read, on the clock of `lastSeen`. A lease ends at `lastSeen + leaseMs`. */
  readonly atMs: number;
}

export interface ConnectionEntry extends Lease {
  /** When the lease ends if it is not renewed, on the clock of `lastSeen`. */
  readonly endsAtMs: number;
}

export interface ConnectionPage {
  /** Sorted by agentId, hubId, sessionId. May be shorter than the limit although more connections follow. */
  readonly connections: readonly ConnectionEntry[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
  /** When the page was read, on the clock of `endsAtMs`. */
  readonly atMs: number;
}

export interface ConnectionPageOptions {
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
   * Includes agents whose leases have expired but are not reaped yet. Their offline events are still to come.
   * @default false
   */
  readonly unreaped?: boolean;
}

/**
 * Keeps the leases of all channels. Calls are atomic: over any number of hubs, exactly one call reports a change. A
 * store has no timers, so its caller must renew and reap. Methods reject with `closed` after `close()`, and with a
 * `KeySchemaError` for a bad id.
 */
export interface LeaseStore {
  /** Resolves with the record to announce, or null when nothing changed. */
  join(
    channelId: string,
    lease: Lease,
    state?: Partial<PresenceState>,
  ): Promise<PresenceRecord | null>;
  /** One round trip. Resolves with an outcome or error for each entry. */
  joinMany(entries: readonly JoinEntry[]): Promise<(JoinOutcome | PresenceError)[]>;
  /**
   * Sets the agent's state, for all its connections, in those of the given channels where the agent is present.
   * Resolves with the changes.
   */
  update(
    channelIds: readonly string[],
    agentId: string,
    state: PresenceState,
  ): Promise<PresenceChange[]>;
  /**
   * One round trip. Resolves for each entry with the changed record, with null when nothing changed, or with an error.
   */
  updateMany(entries: readonly UpdateEntry[]): Promise<(PresenceRecord | null | PresenceError)[]>;
  /** One round trip. Resolves with the differences between the store and the given entries. */
  renew(entries: readonly RenewEntry[]): Promise<RenewFinding[]>;
  /** Resolves with the offline record if this was the agent's last lease, else null. */
  leave(channelId: string, lease: Lease): Promise<PresenceRecord | null>;
  /** One round trip. Resolves for each entry with the result of {@link LeaseStore.leave} or an error. */
  leaveMany(entries: readonly LeaveEntry[]): Promise<(PresenceRecord | null | PresenceError)[]>;
  /** Null when the agent is not present. */
  get(channelId: string, agentId: string): Promise<PresenceRecord | null>;
  list(channelId: string, page?: PageOptions): Promise<PresencePage>;
  /** One round trip. */
  listConnections(channelId: string, page?: ConnectionPageOptions): Promise<ConnectionPage>;
  /**
   * Ends the expired leases of these channels. Exactly one caller gets an agent's offline record. A channel that fails
   * is retried by the next call. Rejects only if nothing could be sent.
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
 * In the result, an empty text means no agentId or no cursor.
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
