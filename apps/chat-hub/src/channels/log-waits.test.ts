import { describe, expect, it } from '@jest/globals';
import { ChatStoreError, type Access } from '@openclaw/chat-store';
import { refuse } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import type { Identity } from '../edge/identity.ts';
import { identityOf } from '../testing/identity.ts';
import { createSessionBench } from '../testing/session-bench.ts';
import type { Waited } from './call-waits.ts';
import { createLogWaits } from './log-waits.ts';

function createBench(limits: { readonly perAgent?: number; readonly perHub?: number } = {}) {
  const { room, publish } = createSessionBench();
  const state = { lookUps: 0, head: 0, role: 'member' as Access['role'], isAway: false, opened: 0 };
  const revokedAgents = new Set<string>();
  const waits = createLogWaits({
    store: {
      async access() {
        state.lookUps += 1;
        if (state.isAway) throw new ChatStoreError('unavailable', 'away');
        const { head, role } = state;
        return new Map([
          ['c', { kind: 'public', head, role, floor: 1, rewrites: 0, archived: false }],
        ]);
      },
    },
    rooms: {
      async open() {
        state.opened += 1;
        return room;
      },
      left: () => undefined,
      epochGeneration: 0,
    },
    isRevoked: ({ agentId }) => revokedAgents.has(agentId),
    onFailed: () => refuse('unavailable', 'away'),
    ...limits,
  });
  const answers: (readonly [agentId: string, Waited])[] = [];
  const goneListeners = new Set<() => void>();
  const wait = (agentId: string, more: Partial<Identity> = {}, waitMs = 50_000) =>
    waits.run(
      {
        identity: identityOf(agentId, more),
        channelId: 'c',
        after: 0,
        waitMs,
        onGone(listener) {
          goneListeners.add(listener);
          return () => void goneListeners.delete(listener);
        },
      },
      async (waited) =>
        void answers.push([
          agentId,
          typeof waited === 'string' ? waited : { ...waited, message: '' },
        ]),
    );
  return { room, publish, state, revokedAgents, waits, answers, goneListeners, wait };
}

const refusal = (code: string, retryAfterMs?: number) => ({
  ...{ ok: false, code, message: '' },
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});

describe('reads that wait for an event', () => {
  it('cost one look-up each, and all end with the next event', async () => {
    const bench = createBench();
    const waiting = ['ana', 'ben', 'eve'].map((agentId) => bench.wait(agentId));
    await waitFor(() => bench.state.opened === 3);
    expect(bench.room.isInUse).toBe(true);
    expect(bench.waits.size).toBe(3);
    expect(bench.answers).toEqual([]);
    bench.publish(1);
    await Promise.all(waiting);
    expect(bench.answers).toEqual(['ana', 'ben', 'eve'].map((agentId) => [agentId, 'read']));
    expect(bench.state.lookUps).toBe(3);
    expect([bench.waits.size, bench.goneListeners.size, bench.room.isInUse]).toEqual([0, 0, false]);
  });

  it('do not open the room for an agent that may not read it, and let the read say why', async () => {
    const bench = createBench();
    bench.state.role = null;
    await bench.wait('outsider');
    bench.state.role = 'member';
    await bench.wait('bounded', { channels: ['other'] });
    expect(bench.answers.map(([, waited]) => waited)).toEqual(['read', 'read']);
    expect(bench.state.opened).toBe(0);
    expect(bench.state.lookUps).toBe(1);
  });

  it('end at once when the log is longer or shorter than the reader believes', async () => {
    const bench = createBench();
    bench.state.head = 3;
    await bench.wait('ana');
    expect(bench.answers).toEqual([['ana', 'read']]);
    expect(bench.state.opened).toBe(0);
  });

  // The race: an event is delivered after the head was read, but before the wait listens.
  it('miss no event that comes while they begin', async () => {
    const bench = createBench();
    const waiting = bench.wait('ana');
    bench.publish(1);
    await waiting;
    expect(bench.answers).toEqual([['ana', 'read']]);
  });

  it('have a limit for each agent and for the hub, and their places are free again', async () => {
    const bench = createBench({ perAgent: 2, perHub: 3 });
    const waiting = [bench.wait('ana'), bench.wait('ana')];
    await bench.wait('ana');
    waiting.push(bench.wait('ben'));
    await bench.wait('eve');
    expect(bench.answers).toEqual([
      ['ana', refusal('rate_limited', 1_000)],
      ['eve', refusal('rate_limited', 1_000)],
    ]);
    await waitFor(() => bench.state.opened === 3);
    bench.publish(1);
    await Promise.all(waiting);
    bench.state.head = 1;
    await bench.wait('eve');
    expect(bench.answers.at(-1)).toEqual(['eve', 'read']);
  });

  it('do not begin once the token was revoked, because a request may arrive slowly', async () => {
    const bench = createBench();
    bench.revokedAgents.add('eve');
    await bench.wait('eve');
    expect(bench.answers).toEqual([['eve', refusal('unauthorized')]]);
    expect([bench.waits.size, bench.state.lookUps]).toEqual([0, 0]);
  });

  it('end with their connection, at their time, at the expiry of the token, and when it is revoked', async () => {
    const bench = createBench();
    const gone = bench.wait('gone');
    for (const listener of bench.goneListeners) listener();
    await gone;
    await bench.wait('short', {}, 20);
    await bench.wait('expiring', { expiresAtMs: Date.now() + 20 });
    const revoked = bench.wait('revoked', { jti: 't1' });
    const other = bench.wait('other');
    bench.waits.endRevoked(({ jti }) => jti === 't1');
    await revoked;
    expect(bench.answers).toEqual([
      ['gone', 'gone'],
      ['short', 'read'],
      ['expiring', refusal('unauthorized')],
      ['revoked', refusal('unauthorized')],
    ]);
    await waitFor(() => bench.room.isInUse);
    bench.room.close();
    await other;
    expect(bench.answers.at(-1)).toEqual(['other', 'read']);
  });

  it('are answered by a drain, which refuses new ones', async () => {
    const bench = createBench();
    const waiting = [bench.wait('ana'), bench.wait('ben')];
    await bench.waits.drain();
    expect(bench.answers).toHaveLength(2);
    await Promise.all(waiting);
    await bench.wait('eve');
    expect(bench.answers.at(-1)).toEqual(['eve', refusal('unavailable', 1_000)]);
  });

  it('end when the room continues in another epoch, and are refused while the database is away', async () => {
    const bench = createBench();
    const waiting = bench.wait('ana');
    await waitFor(() => bench.room.isInUse);
    bench.room.beginEpoch(0);
    await waiting;
    bench.state.isAway = true;
    await bench.wait('ben');
    expect(bench.answers).toEqual([
      ['ana', 'read'],
      ['ben', refusal('unavailable')],
    ]);
    expect(bench.waits.size).toBe(0);
  });
});
