import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { startOwnOutageWatch, type OwnOutage } from './own-outage.ts';

const keys = createKeySchema();
const key = 'openclaw:hub:database';

let nowMs: number;
let downMs: number;
let stored: string | null;
let isRedisAway: boolean;
let sent: (readonly unknown[])[];
let logged: string[];
let watch: OwnOutage;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['performance', 'setImmediate'] });
  [nowMs, downMs, stored, isRedisAway, sent, logged] = [0, 0, null, false, [], []];
  watch = startOwnOutageWatch(
    {
      hubId: 'hub-1',
      redis: {
        async send(command) {
          sent.push(command);
          if (isRedisAway) throw new Error('away');
          return command[0] === 'get' ? stored : 'OK';
        },
      },
      keys,
      database: {
        get downMs() {
          return downMs;
        },
      },
      log: { warn: (...args: unknown[]) => void logged.push(String(args.at(-1))), debug: () => {} },
    },
    () => nowMs,
  );
});
afterEach(() => {
  watch.close();
  jest.useRealTimers();
});

async function pass(ms: number): Promise<void> {
  for (let past = 0; past < ms; past += 1_000) {
    nowMs += 1_000;
    if (downMs > 0) downMs += 1_000;
    await jest.advanceTimersByTimeAsync(1_000);
  }
}

describe('a hub that reaches its database', () => {
  it('announces it every 4 s, for 10 s, and looks at nothing', async () => {
    for (let beat = 0; beat < 10; beat++) {
      watch.databaseAnswered();
      await pass(2_000);
    }
    expect(sent).toEqual(Array(5).fill(['set', key, 'hub-1', 'PX', '10000']));
  });

  it('announces nothing while its database fails in part', async () => {
    downMs = 1;
    watch.databaseAnswered();
    expect(sent).toEqual([]);
  });
});

describe('a hub that has lost its database', () => {
  beforeEach(() => {
    downMs = 1;
    stored = 'hub-2';
  });

  it('is alone when announcements of other hubs are there for longer than one lives', async () => {
    await pass(12_000);
    expect([sent.length, watch.isAlone]).toEqual([12, false]);
    await pass(1_000);
    expect([sent.at(-1), watch.isAlone]).toEqual([['get', key], true]);
    stored = 'hub-3';
    await pass(5_000);
    expect(watch.isAlone).toBe(true);
    expect(logged).toEqual(['another hub reaches the database: this hub is not ready']);
  });

  // The race: after a shared outage this hub is the last to reach the database again.
  it('is not alone while others have been back for a shorter time', async () => {
    stored = null;
    await pass(60_000);
    stored = 'hub-2';
    await pass(12_000);
    downMs = 0;
    await pass(1_000);
    expect([watch.isAlone, logged]).toEqual([false, []]);
  });

  it('is not alone because of an announcement from before the outage', async () => {
    await pass(10_000);
    stored = null;
    await pass(5_000);
    expect([watch.isAlone, logged]).toEqual([false, []]);
  });

  it.each([
    ['nobody', null],
    ['itself', 'hub-1'],
    ['another program', 'two words'],
  ])('is not alone when %s announces itself', async (_who, value) => {
    stored = value;
    await pass(20_000);
    expect([watch.isAlone, logged]).toEqual([false, []]);
  });

  it('is ready again when the other hub has lost it too', async () => {
    await pass(15_000);
    expect(watch.isAlone).toBe(true);
    stored = null;
    await pass(1_000);
    expect(watch.isAlone).toBe(false);
    expect(logged.at(-1)).toBe('no other hub is known to reach the database: this hub is ready');
  });

  it('is ready again at once when the database answers, and looks no more', async () => {
    await pass(15_000);
    downMs = 0;
    expect(watch.isAlone).toBe(false);
    await pass(1_000);
    sent = [];
    await pass(5_000);
    expect(sent).toEqual([]);
    downMs = 1;
    await pass(12_000);
    expect([watch.isAlone, logged.length]).toEqual([false, 1]);
  });

  // The race: between two looks at the announcements, the database answers and is lost again, now for all hubs.
  // Invariant: announcements of one outage do not count in the next.
  it('starts over when another outage begins between two looks', async () => {
    await pass(15_000);
    expect(watch.isAlone).toBe(true);
    nowMs += 500;
    downMs = 100;
    expect(watch.isAlone).toBe(false);
    await pass(12_000);
    expect(watch.isAlone).toBe(false);
    await pass(1_000);
    expect(watch.isAlone).toBe(true);
  });

  it('knows nothing without Redis, but does not forget at its first failures what it has found', async () => {
    isRedisAway = true;
    await pass(20_000);
    expect(watch.isAlone).toBe(false);
    isRedisAway = false;
    await pass(13_000);
    isRedisAway = true;
    await pass(5_000);
    expect(watch.isAlone).toBe(true);
    await pass(1_000);
    expect(watch.isAlone).toBe(false);
  });
});
