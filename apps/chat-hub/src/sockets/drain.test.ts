import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { drainLengthMs, drainSessions } from './drain.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

class Socket {
  isOpen = true;
  phase = { name: 'live' };
  callsInFlight = 0;
  notifiedMs: number | null = null;
  closedAtMs: number | null = null;
  reason: string | null = null;
  wasCut = false;

  send(text: string): void {
    const { params } = JSON.parse(text) as { params: { afterMs: number; reason: string } };
    expect(params.reason).toBe('draining');
    this.notifiedMs = params.afterMs;
  }

  close(code: number, reason: string): void {
    expect(code).toBe(4503);
    this.reason = reason;
    this.closedAtMs = performance.now();
  }

  terminate(): void {
    this.wasCut = true;
  }
}

function crowd(count: number, { leaves = true } = {}) {
  const sockets = Array.from({ length: count }, () => new Socket());
  const open = () => sockets.filter(({ closedAtMs }) => !leaves || closedAtMs === null);
  const sessions = {
    all: () => open() as unknown as Session[],
    get size() {
      return open().length;
    },
  } as unknown as Sessions;
  return { sockets, sessions };
}

describe('a drain', () => {
  it('lasts as long as the rate requires, within bounds', () => {
    const lengths = [0, 3, 400, 2_000, 4_000, 10_000].map((n) =>
      drainLengthMs(n, { perSecond: 400 }),
    );
    expect(lengths).toEqual([1_000, 1_000, 1_000, 5_000, 10_000, 10_000]);
  });

  it('notifies all sockets at once of evenly spread slots, and closes each in its slot', async () => {
    const { sockets, sessions } = crowd(20);
    const startMs = performance.now();
    const drained = drainSessions(sessions, { perSecond: 50, minMs: 100 });
    // Each slot counts from the start of the drain, so a slow notification announces less time than `i * 20`.
    const notifyingMs = performance.now() - startMs;
    for (const [i, { notifiedMs }] of sockets.entries()) {
      expect(notifiedMs).toBeGreaterThanOrEqual(Math.max(0, i * 20 - notifyingMs - 1));
      expect(notifiedMs).toBeLessThanOrEqual(i * 20);
    }
    await drained;
    for (const [i, { closedAtMs, reason, wasCut }] of sockets.entries()) {
      expect((closedAtMs ?? 0) - startMs).toBeGreaterThanOrEqual(i * 20 - 2);
      expect({ reason, wasCut }).toEqual({ reason: '{"afterMs":0}', wasCut: false });
    }
  });

  it('of thousands of sockets does not block the event loop while it notifies them', async () => {
    const { sockets, sessions } = crowd(1_000);
    const drained = drainSessions(sessions, { perSecond: 10_000, minMs: 100 });
    expect(sockets.filter(({ notifiedMs }) => notifiedMs !== null).length).toBeLessThan(300);
    await waitFor(() => sockets.every(({ notifiedMs }) => notifiedMs !== null));
    await drained;
    expect(sockets.every(({ closedAtMs }) => closedAtMs !== null)).toBe(true);
  });

  it('waits for the answers to a client’s calls, for a limited time', async () => {
    const { sockets, sessions } = crowd(2);
    const [asking, stuck] = sockets;
    if (!asking || !stuck) throw new Error('no sockets');
    asking.callsInFlight = 1;
    stuck.callsInFlight = 1;
    const startMs = performance.now();
    const drained = drainSessions(sessions, { perSecond: 1_000, minMs: 1, answersMs: 200 });
    await waitFor(() => performance.now() - startMs > 50);
    expect(asking.closedAtMs).toBeNull();
    asking.callsInFlight = 0;
    await waitFor(() => asking.closedAtMs !== null);
    expect(stuck.closedAtMs).toBeNull();
    await drained;
    expect((stuck.closedAtMs ?? 0) - startMs).toBeGreaterThanOrEqual(200);
  });

  it('destroys sockets that do not close', async () => {
    const { sockets, sessions } = crowd(2, { leaves: false });
    await drainSessions(sessions, { perSecond: 1_000, minMs: 1, closeMs: 50 });
    expect(sockets.map(({ wasCut }) => wasCut)).toEqual([true, true]);
  });

  it('sends only the close to a socket without a welcome', async () => {
    const { sockets, sessions } = crowd(1);
    const [early] = sockets;
    if (!early) throw new Error('no socket');
    early.phase = { name: 'welcoming' };
    await drainSessions(sessions, { perSecond: 1_000, minMs: 1 });
    expect(early).toMatchObject({ notifiedMs: null, reason: '{"afterMs":0}' });
  });
});
