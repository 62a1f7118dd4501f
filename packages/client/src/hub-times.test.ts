import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createConnection, type StateChange } from './connection.ts';
import { HubError } from './errors.ts';
import { resolveOptions, type WebSocketLike } from './options.ts';

const sockets: WebSocketLike[] = [];
class FakeSocket implements WebSocketLike {
  onmessage: WebSocketLike['onmessage'] = null;
  onerror: WebSocketLike['onerror'] = null;
  onclose: WebSocketLike['onclose'] = null;
  constructor() {
    sockets.push(this);
  }
  send() {}
  close() {}
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  sockets.length = 0;
  jest.useRealTimers();
});

function connect() {
  const changes: StateChange[] = [];
  let pings = 0;
  const options = resolveOptions({
    url: 'ws://hub',
    agent: 'ada',
    webSocket: FakeSocket,
    random: () => 0.5,
  });
  const connection = createConnection(options, {
    onText() {},
    onLost() {},
    onState: (change) => changes.push(change),
    ping: async () => void (pings += 1),
  });
  return { connection, changes, pings: () => pings };
}

const hourMs = 3_600_000;
const hostile: [what: string, ms: number, isTooLong: boolean][] = [
  ['NaN', NaN, false],
  ['a negative number', -5, false],
  ['text', 'soon' as unknown as number, false],
  ['more than a timer can wait', 2 ** 31, true],
  ['a thousand years', 1e15, true],
];

// A timer with such a time fires at once, so the client would ping or reconnect in a loop.
describe.each(hostile)('a time from the hub that is %s', (_what, ms, isTooLong) => {
  it('is no heartbeat: a silent hub is still pinged, and not at once', () => {
    const { connection, pings } = connect();
    connection.welcomed(ms);
    jest.advanceTimersByTime(10_000);
    expect(pings()).toBe(0);
    jest.advanceTimersByTime(2 * hourMs);
    expect(pings()).toBeGreaterThan(0);
  });

  it('is no slot: a draining hub is left within an hour, and not at once', () => {
    const { connection } = connect();
    connection.welcomed(25_000);
    connection.replace(ms);
    jest.advanceTimersByTime(100);
    expect(connection.state).toBe('live');
    expect(sockets).toHaveLength(1);
    jest.advanceTimersByTime(hourMs);
    expect(sockets.length).toBeGreaterThan(1);
  });

  it('is bounded in a close reason', () => {
    const { changes } = connect();
    const reason = JSON.stringify({ afterMs: ms });
    sockets[0]?.onclose?.({ code: 4503, reason });
    expect(changes[0]?.retryInMs).toBe(isTooLong ? hourMs : 250);
  });

  it('is bounded in a refusal', () => {
    const { retryAfterMs } = new HubError('rate_limited', 'Too many calls', { retryAfterMs: ms });
    expect(retryAfterMs).toBe(isTooLong ? hourMs : null);
  });
});

it('keeps the usual times of a hub', () => {
  const { connection, pings, changes } = connect();
  connection.welcomed(25_000);
  jest.advanceTimersByTime(75_000);
  expect(pings()).toBe(2);
  sockets[0]?.onclose?.({ code: 4503, reason: '{"afterMs":90000}' });
  expect(changes[1]?.retryInMs).toBe(90_000);
});
