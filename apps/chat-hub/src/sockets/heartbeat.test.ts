import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { heartbeatMs, startHeartbeat } from './heartbeat.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

function createBench() {
  const session = {
    identity: { expiresAtMs: null },
    ...{ nextPingMs: 0, unansweredPings: 0, isLagging: false },
    ping: jest.fn(),
    close: jest.fn(),
  };
  const sessions = { all: () => [session as unknown as Session] } as unknown as Sessions;
  return { session, stop: startHeartbeat(sessions) };
}

describe('the heartbeat', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('closes a socket that leaves two pings unanswered', () => {
    const { session, stop } = createBench();
    jest.advanceTimersByTime(2.5 * heartbeatMs);
    expect(session.ping).toHaveBeenCalledTimes(2);
    jest.advanceTimersByTime(heartbeatMs);
    expect(session.close.mock.calls[0]?.[0]).toBe(4408);
    stop();
  });

  // The race: a socket that lags is not read, its pongs neither, for as long as it catches up. Invariant: it is not taken
  // for silent; only one that stays stuck is closed.
  it('does not take a socket for silent that is not read because it lags', () => {
    const { session, stop } = createBench();
    jest.advanceTimersByTime(1.5 * heartbeatMs);
    session.isLagging = true;
    jest.advanceTimersByTime(10 * heartbeatMs);
    expect(session.close).not.toHaveBeenCalled();
    Object.assign(session, { isLagging: false, unansweredPings: 0 });
    const pings = session.ping.mock.calls.length;
    jest.advanceTimersByTime(heartbeatMs);
    expect(session.ping.mock.calls.length).toBeGreaterThan(pings);
    stop();
  });
});
