import { afterEach, describe, expect, it } from '@jest/globals';
import type { ProbeResult } from '@openclaw/events';
import { waitFor } from '@openclaw/test-support';
import { pino } from 'pino';
import { startSelfProbe, type SelfProbe } from './self-probe.ts';

const back: ProbeResult = { outcome: 'back', latencyMs: 3 };
const lost: ProbeResult = { outcome: 'lost' };
const refused: ProbeResult = { outcome: 'refused' };

describe('the self-probe', () => {
  let probe: SelfProbe;
  afterEach(() => probe.close());

  function start({ isRedisNamed = true } = {}) {
    const asked: ((result: ProbeResult) => void)[] = [];
    const seen = { reconnects: [] as number[], deaf: 0, probes: 0 };
    probe = startSelfProbe(
      {
        probe: () => new Promise((resolve) => asked.push(resolve)),
        reconnect: () => seen.reconnects.push(seen.probes),
        onDeaf: () => (seen.deaf += 1),
        isRedisNamed,
        log: pino({ level: 'silent' }),
      },
      { everyMs: 1, everyMsWhenDeaf: 1, clock: () => 7_000 },
    );
    const answer = async (result: ProbeResult) => {
      await waitFor(() => asked.length > 0, { everyMs: 1 });
      seen.probes += 1;
      asked.shift()?.(result);
      await waitFor(() => asked.length > 0, { everyMs: 1 });
    };
    // An unanswered probe would block close().
    const started = probe;
    probe = Object.assign(Object.create(started) as SelfProbe, {
      close() {
        const closed = started.close();
        for (const resolve of asked.splice(0)) resolve(refused);
        return closed;
      },
    });
    return { seen, answer };
  }

  it('reports the latency of the publish path, and when a probe was last received', async () => {
    const { answer } = start();
    expect(probe.path).toEqual({ status: 'down', latencyMs: null, lastOkAt: null });
    await answer(back);
    expect(probe.path).toEqual({ status: 'ok', latencyMs: 3, lastOkAt: 7_000 });
    expect(probe.isDeaf).toBe(false);
    await answer(refused);
    expect(probe.path).toEqual({ status: 'down', latencyMs: 3, lastOkAt: 7_000 });
  });

  it('is deaf after one lost probe, and replaces the connection after two', async () => {
    const { seen, answer } = start();
    await answer(back);
    await answer(lost);
    expect(probe.isDeaf).toBe(true);
    expect(seen).toMatchObject({ deaf: 1, reconnects: [] });
    await answer(lost);
    expect(seen).toMatchObject({ deaf: 1, reconnects: [3] });
    await answer(back);
    expect(probe.isDeaf).toBe(false);
  });

  it('replaces the connection at growing intervals while that does not help, and soon again the next time', async () => {
    const { seen, answer } = start();
    for (let i = 0; i < 300; i += 1) await answer(lost);
    expect(seen.reconnects).toEqual([2, 4, 8, 16, 32, 64, 128, 192, 256]);
    await answer(back);
    await answer(lost);
    await answer(lost);
    expect(seen.reconnects.at(-1)).toBe(303);
    expect(seen.deaf).toBe(2);
  });

  it('is not deaf and replaces nothing while Redis is away: the client reconnects by itself', async () => {
    const { seen, answer } = start();
    for (let i = 0; i < 5; i += 1) await answer(refused);
    expect(probe.isDeaf).toBe(false);
    expect(probe.path.status).toBe('down');
    expect(seen).toMatchObject({ deaf: 0, reconnects: [] });
  });

  it('reports the path as unused when no Redis is configured and none was found, and as down once there was one', async () => {
    const { answer } = start({ isRedisNamed: false });
    await answer(refused);
    expect(probe.path.status).toBe('unused');
    await answer(back);
    await answer(refused);
    expect(probe.path.status).toBe('down');
  });
});
