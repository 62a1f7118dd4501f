import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHeartbeat, heartbeatMs } from './heartbeat.ts';
import type { Session } from './session.ts';

function createBench() {
  const session = {
    identity: { expiresAtMs: null },
    isLagging: false,
    ping: jest.fn(),
    close: jest.fn(),
  };
  const heartbeat = createHeartbeat();
  heartbeat.watch(session as unknown as Session);
  return { session, heartbeat };
}

describe('the heartbeat', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('closes a socket that leaves two pings unanswered', () => {
    const { session, heartbeat } = createBench();
    jest.advanceTimersByTime(2.5 * heartbeatMs);
    expect(session.ping).toHaveBeenCalledTimes(2);
    jest.advanceTimersByTime(heartbeatMs);
    expect(session.close.mock.calls[0]?.[0]).toBe(4408);
    heartbeat.close();
  });

  // The race: a lagging session is not read, so the hub sees its pongs only after the catch-up.
  it('does not close a lagging session for the pongs that it does not read', () => {
    const { session, heartbeat } = createBench();
    jest.advanceTimersByTime(1.5 * heartbeatMs);
    session.isLagging = true;
    jest.advanceTimersByTime(10 * heartbeatMs);
    expect(session.close).not.toHaveBeenCalled();
    session.isLagging = false;
    heartbeat.pong(session as unknown as Session);
    const before = session.ping.mock.calls.length;
    jest.advanceTimersByTime(heartbeatMs);
    expect(session.ping.mock.calls.length).toBeGreaterThan(before);
    heartbeat.close();
  });
});
