import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LeaseStoreOptions } from '../options.ts';
import type { Lease, LeaseStore } from './lease-store.ts';
import { defaultState, type PresenceState } from '../state.ts';

const leaseMs = 30_000;

function createModel() {
  const ends = new Map<string, { lease: Lease; endMs: number }>();
  const states = new Map<string, PresenceState>();
  const nameOf = ({ agentId, hubId, sessionId }: Lease) => `${agentId}:${hubId}:${sessionId}`;
  const all = (agentId: string) =>
    [...ends.values()].filter(({ lease }) => lease.agentId === agentId);
  const isLive = (agentId: string, nowMs: number) =>
    all(agentId).some(({ endMs }) => endMs > nowMs);
  const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const end = (agentId: string) => {
    for (const { lease } of all(agentId)) ends.delete(nameOf(lease));
    states.delete(agentId);
  };

  return {
    join(lease: Lease, given: Partial<PresenceState>, nowMs: number) {
      const { agentId } = lease;
      const old = isLive(agentId, nowMs) ? states.get(agentId) : undefined;
      const next = { ...(old ?? defaultState), ...given };
      ends.set(nameOf(lease), { lease, endMs: nowMs + leaseMs });
      states.set(agentId, next);
      return isSame(old, next) ? null : next;
    },
    renew(lease: Lease, known: PresenceState, nowMs: number) {
      const { agentId } = lease;
      const gone = !ends.has(nameOf(lease)) && !isLive(agentId, nowMs);
      ends.set(nameOf(lease), { lease, endMs: nowMs + leaseMs });
      const state = states.get(agentId) ?? known;
      states.set(agentId, state);
      return gone || !isSame(state, known) ? [{ gone, state }] : [];
    },
    update(agentId: string, next: PresenceState, nowMs: number) {
      if (!isLive(agentId, nowMs)) return null;
      const old = states.get(agentId);
      states.set(agentId, next);
      return isSame(old, next) ? null : next;
    },
    leave(lease: Lease, nowMs: number) {
      if (!ends.delete(nameOf(lease)) || isLive(lease.agentId, nowMs)) return false;
      end(lease.agentId);
      return true;
    },
    reap(nowMs: number) {
      const agentIds = new Set([...ends.values()].map(({ lease }) => lease.agentId));
      for (const [name, { endMs }] of ends) if (endMs <= nowMs) ends.delete(name);
      const gone = [...agentIds].filter((agentId) => all(agentId).length === 0).sort();
      gone.forEach(end);
      return gone;
    },
    present(nowMs: number) {
      const agentIds = [...states.keys()].filter((agentId) => isLive(agentId, nowMs)).sort();
      return agentIds.map((agentId) => ({ agentId, ...states.get(agentId)! }));
    },
    count: (nowMs: number) => [...ends.values()].filter(({ endMs }) => endMs > nowMs).length,
  };
}

const states: fc.Arbitrary<PresenceState> = fc.record(
  {
    status: fc.constantFrom('online' as const, 'away' as const, 'dnd' as const),
    customStatus: fc.constantFrom(null, 'busy'),
    avatar: fc.constantFrom(null, '🤖'),
    metadata: fc.constantFrom({ task: 1 }, { task: 2 }),
  },
  { requiredKeys: ['status', 'customStatus', 'avatar'] },
);
const agentIds = fc.constantFrom('a', 'a-1', 'b');
const leases = fc.record({
  agentId: agentIds,
  hubId: fc.constantFrom('h1', 'h2'),
  sessionId: fc.constantFrom('s1', 's2'),
});
const steps = fc.oneof(
  fc.record({
    kind: fc.constant('join' as const),
    lease: leases,
    state: fc.oneof(fc.constant({}), states, fc.record({ status: fc.constant('dnd' as const) })),
  }),
  fc.record({ kind: fc.constant('renew' as const), lease: leases, state: states }),
  fc.record({ kind: fc.constant('update' as const), agentId: agentIds, state: states }),
  fc.record({ kind: fc.constant('leave' as const), lease: leases }),
  fc.record({ kind: fc.constant('reap' as const) }),
  fc.record({
    kind: fc.constant('wait' as const),
    ms: fc.constantFrom(1, 10_000, leaseMs - 1, leaseMs),
  }),
);

export function presenceModelContract(
  name: string,
  make: (options: Required<LeaseStoreOptions>) => LeaseStore,
  numRuns: number,
): void {
  it(`${name}: agrees with the model of leases for any order of calls`, async () => {
    const property = fc.asyncProperty(fc.array(steps, { maxLength: 40 }), async (run) => {
      let nowMs = 1_900_000_000_000;
      const presence = make({ leaseMs, clock: () => nowMs });
      const model = createModel();
      for (const step of run) {
        if (step.kind === 'wait') nowMs += step.ms;
        else if (step.kind === 'join') {
          const expected = model.join(step.lease, step.state, nowMs);
          const record = await presence.join('c', step.lease, step.state);
          expect(record).toEqual(
            expected && { agentId: step.lease.agentId, ...expected, lastSeen: nowMs },
          );
        } else if (step.kind === 'renew') {
          const expected = model.renew(step.lease, step.state, nowMs);
          const found = await presence.renew([{ channelId: 'c', ...step }]);
          expect(found).toMatchObject(
            expected.map(({ gone, state }) => ({ gone, record: { ...state, lastSeen: nowMs } })),
          );
        } else if (step.kind === 'update') {
          const expected = model.update(step.agentId, step.state, nowMs);
          const changes = await presence.update(['c'], step.agentId, step.state);
          expect(changes).toMatchObject(expected ? [{ record: expected }] : []);
        } else if (step.kind === 'leave') {
          const gone = model.leave(step.lease, nowMs);
          const record = await presence.leave('c', step.lease);
          expect(record?.status ?? null).toBe(gone ? 'offline' : null);
          if (record) expect(record.lastSeen).toBe(nowMs);
        } else {
          const gone = model.reap(nowMs);
          const reaped = await presence.reap(['c']);
          expect(reaped.map(({ record }) => record.agentId).sort()).toEqual(gone);
        }
        const { presences, count } = await presence.list('c');
        expect(presences).toMatchObject(model.present(nowMs));
        expect(presences).toHaveLength(model.present(nowMs).length);
        expect(count).toBe(model.count(nowMs));
      }
      await presence.close();
    });
    await fc.assert(property, { numRuns });
  });
}
