import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import type { Snapshot } from './operations/snapshot.ts';
import { startWorld, type World } from './testing/world.ts';

jest.setTimeout(120_000);
let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterEach(() => world?.leave());
afterAll(() => world?.close());

/** What a hub at work might answer `n` seconds on. */
function snapshotAt(n: number, timestamp: number): Snapshot {
  const busy = 900 + 90 * Math.sin(n / 9);
  return {
    ...{ timestamp, hubId: 'hub-1', version: '0.1.0', uptimeMs: 4_000_000 + n * 1_000 },
    counters: { messages: Math.round(n * busy), deliveries: Math.round(n * busy * 111) },
    latency: {
      ackMs: { p50: 1.8, p90: 3.1, p99: 5 + Math.sin(n) },
      deliveryMs: { p50: 2.2, p90: 4, p99: 7 + Math.sin(n / 3) },
    },
    ...{
      sockets: 112,
      agents: 111,
      rooms: 6,
      laggingNow: 0,
      breaker: 'closed',
      degraded: false,
    },
    database: { status: 'ok', latencyMs: 0.3 },
    redis: {
      status: 'in_use',
      latencyMs: 0.4,
      usedMemoryBytes: 3_900_000,
      maxMemoryBytes: 268_435_456,
    },
    hubs: [
      { hubId: 'hub-1', lastBeatAgoMs: 900, isThis: true },
      { hubId: 'hub-2', lastBeatAgoMs: 1_400, isThis: false },
    ],
    channels: [
      {
        channelId: 'a',
        name: 'busy',
        messagesPerSecond: 800,
        deliveriesPerSecond: 88_800,
        sockets: 111,
        deliveryP99Ms: 6,
      },
      {
        channelId: 'b',
        name: 'slow',
        messagesPerSecond: 20,
        deliveriesPerSecond: 400,
        sockets: 20,
        deliveryP99Ms: 31,
      },
    ],
  };
}

describe('the operations view', () => {
  it('draws rates, states and tables from the hub’s snapshots', async () => {
    const ada = await world.person('ada');
    let n = 0;
    await ada.page.route(/\/v1\/operations/, async (route) => {
      n += 1;
      await route.fulfill({ json: snapshotAt(n, 1_700_000_000_000 + n * 1_000) });
    });
    await ada.page.getByRole('link', { name: 'Operations' }).click();
    await ada.page.locator('.tile-good', { hasText: 'in use' }).waitFor();
    await ada.page.getByText('of 256 MiB').waitFor();
    const messages = ada.page.locator('.chart', { hasText: 'Messages per second' });
    await messages.locator('b', { hasText: /^\d+$|k$/ }).waitFor();
    expect(await messages.locator('canvas').count()).toBe(1);
    await ada.page.locator('.figures tr', { hasText: 'hub-2' }).waitFor();
    const firstChannel = ada.page
      .locator('section', { hasText: 'Messages/s' })
      .locator('tbody td')
      .first();
    expect(await firstChannel.textContent()).toBe('busy');
    await ada.page.getByRole('button', { name: 'slowest' }).click();
    await waitFor(async () => (await firstChannel.textContent()) === 'slow');
    expect(ada.complaints).toEqual([]);
  });

  it('says for whom it is to those whom the hub refuses', async () => {
    const ada = await world.person('ada');
    await ada.page.route(/\/v1\/operations/, (route) => route.fulfill({ status: 403, json: {} }));
    await ada.page.getByRole('link', { name: 'Operations' }).click();
    await ada.page.getByText('This view is for admins only.').waitFor();
  });
});
