import { PresenceError } from './errors.ts';
import type { JoinEntry, JoinOutcome, Lease, RenewEntry, RenewFinding } from './presence.ts';
import { isSameState, parseState, plainState } from './state.ts';
import type { PresenceRecord, PresenceState } from './state.ts';

/** One agent in one channel. */
interface Seat {
  state: PresenceState;
  lastSeenMs: number;
  /** `hubId:sessionId` → end of the lease. */
  readonly leases: Map<string, number>;
}

interface Room {
  readonly seats: Map<string, Seat>;
  /** agentIds in order, made when a list first needs it. */
  order: readonly string[] | null;
}

const placeOf = ({ hubId, sessionId }: Lease) => `${hubId}:${sessionId}`;

/** The leases that one process knows, without clock, timers or waiting. Ids are the caller's to check. */
export function createRoster(maxLeases: number) {
  const rooms = new Map<string, Room>();
  let size = 0;

  const seatOf = (channelId: string, agentId: string) => rooms.get(channelId)?.seats.get(agentId);

  const isHeld = (seat: Seat, nowMs: number) => {
    for (const endsAtMs of seat.leases.values()) if (endsAtMs > nowMs) return true;
    return false;
  };

  const recordOf = (agentId: string, { state, lastSeenMs }: Seat): PresenceRecord => ({
    agentId,
    ...state,
    lastSeen: lastSeenMs,
  });

  const remove = (channelId: string, agentId: string, seat: Seat): PresenceRecord => {
    const room = rooms.get(channelId);
    room?.seats.delete(agentId);
    if (room) room.order = null;
    if (room?.seats.size === 0) rooms.delete(channelId);
    size -= seat.leases.size;
    return { ...recordOf(agentId, seat), status: 'offline' };
  };

  const hold = (channelId: string, lease: Lease, endsAtMs: number, state: PresenceState): Seat => {
    const place = placeOf(lease);
    let seat = seatOf(channelId, lease.agentId);
    if (!seat?.leases.has(place)) {
      if (size >= maxLeases) {
        throw new PresenceError('full', `${maxLeases} leases are held, as many as allowed`);
      }
      size += 1;
    }
    if (!seat) {
      let room = rooms.get(channelId);
      if (!room) rooms.set(channelId, (room = { seats: new Map(), order: null }));
      seat = { state, lastSeenMs: 0, leases: new Map() };
      room.seats.set(lease.agentId, seat);
      room.order = null;
    }
    seat.leases.set(place, endsAtMs);
    return seat;
  };

  /** The leases of one channel. */
  function* entriesOf(channelId: string): Generator<RenewEntry> {
    for (const [agentId, seat] of rooms.get(channelId)?.seats ?? []) {
      for (const place of seat.leases.keys()) {
        const [hubId = '', sessionId = ''] = place.split(':');
        yield { channelId, lease: { agentId, hubId, sessionId }, state: seat.state };
      }
    }
  }

  return {
    /** How many leases are held, ended ones that nobody reaped among them. */
    get size() {
      return size;
    },
    channelIds: () => rooms.keys(),
    hasChannel: (channelId: string) => rooms.has(channelId),
    has: (channelId: string, lease: Lease) =>
      seatOf(channelId, lease.agentId)?.leases.has(placeOf(lease)) ?? false,

    join(entry: JoinEntry, nowMs: number, endsAtMs: number): JoinOutcome {
      const { channelId, lease, initial = plainState } = entry;
      const old = seatOf(channelId, lease.agentId);
      const current = old && isHeld(old, nowMs) ? old.state : null;
      const given = parseState(entry.state ?? {});
      const base = current ?? parseState(initial);
      const state: PresenceState = {
        status: given.status ?? base.status,
        customStatus: given.customStatus === undefined ? base.customStatus : given.customStatus,
        avatar: given.avatar === undefined ? base.avatar : given.avatar,
      };
      const seat = hold(channelId, lease, endsAtMs, state);
      seat.state = state;
      seat.lastSeenMs = nowMs;
      return {
        record: recordOf(lease.agentId, seat),
        changed: current === null || !isSameState(current, state),
      };
    },

    renew(
      { channelId, lease, state }: RenewEntry,
      nowMs: number,
      endsAtMs: number,
    ): RenewFinding[] {
      const old = seatOf(channelId, lease.agentId);
      const gone = !old || !(old.leases.has(placeOf(lease)) || isHeld(old, nowMs));
      const seat = hold(channelId, lease, endsAtMs, parseState(state));
      seat.lastSeenMs = nowMs;
      const isKnown = isSameState(seat.state, parseState(state));
      const record = recordOf(lease.agentId, seat);
      return gone || !isKnown ? [{ channelId, record, gone, stateGone: gone }] : [];
    },

    update(
      channelId: string,
      agentId: string,
      state: PresenceState,
      nowMs: number,
    ): PresenceRecord | null {
      const parsed = parseState(state);
      const seat = seatOf(channelId, agentId);
      if (!seat || !isHeld(seat, nowMs)) return null;
      const changed = !isSameState(seat.state, parsed);
      seat.state = parsed;
      seat.lastSeenMs = nowMs;
      return changed ? recordOf(agentId, seat) : null;
    },

    leave(channelId: string, lease: Lease, nowMs: number): PresenceRecord | null {
      const seat = seatOf(channelId, lease.agentId);
      if (!seat?.leases.delete(placeOf(lease))) return null;
      size -= 1;
      if (isHeld(seat, nowMs)) return null;
      return { ...remove(channelId, lease.agentId, seat), lastSeen: nowMs };
    },

    reap(channelId: string, nowMs: number): PresenceRecord[] {
      const gone: PresenceRecord[] = [];
      for (const [agentId, seat] of rooms.get(channelId)?.seats ?? []) {
        for (const [place, endsAtMs] of seat.leases) {
          if (endsAtMs > nowMs) continue;
          seat.leases.delete(place);
          size -= 1;
        }
        if (seat.leases.size === 0) gone.push(remove(channelId, agentId, seat));
      }
      return gone;
    },

    get(channelId: string, agentId: string, nowMs: number): PresenceRecord | null {
      const seat = seatOf(channelId, agentId);
      return seat && isHeld(seat, nowMs) ? recordOf(agentId, seat) : null;
    },

    /** Those whom a lease holds that ends after `heldAfterMs`; counted are the leases that end after `nowMs`. */
    list(channelId: string, cursor: string, limit: number, nowMs: number, heldAfterMs = nowMs) {
      const room = rooms.get(channelId);
      const presences: PresenceRecord[] = [];
      let count = 0;
      let nextCursor: string | null = null;
      for (const seat of room?.seats.values() ?? []) {
        for (const endsAtMs of seat.leases.values()) if (endsAtMs > nowMs) count += 1;
      }
      if (room) room.order ??= [...room.seats.keys()].sort();
      const order = room?.order ?? [];
      for (let at = firstAfter(order, cursor); at < order.length; at += 1) {
        if (presences.length === limit) {
          nextCursor = order[at - 1] ?? null;
          break;
        }
        const agentId = order[at] ?? '';
        const seat = room?.seats.get(agentId);
        if (seat && isHeld(seat, heldAfterMs)) presences.push(recordOf(agentId, seat));
      }
      return { presences, nextCursor, count, atMs: nowMs };
    },

    entriesOf,
    /** All leases, channel by channel. Others may be added and removed between two steps. */
    *entries(): Generator<RenewEntry> {
      for (const channelId of rooms.keys()) yield* entriesOf(channelId);
    },
  };
}

/** What {@link createRoster} makes. */
export type Roster = ReturnType<typeof createRoster>;

function firstAfter(order: readonly string[], cursor: string): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((order[middle] ?? '') > cursor) high = middle;
    else low = middle + 1;
  }
  return low;
}
