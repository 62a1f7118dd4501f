import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { HubChannel } from '@openclaw/client';
import { waitFor } from '@openclaw/test-support';
import { startWorld, type World } from '../testing/world.ts';

jest.setTimeout(120_000);
let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterEach(() => world?.leave());
afterAll(() => world?.close());

describe('the operations view', () => {
  it('draws rates, states and tables of the hub at work, and every agent on it', async () => {
    const ada = await world.person('ada');
    const [busy, slow] = [world.agent('busy-agent'), world.agent('slow-agent')];
    for (const [agent, channelId] of [
      [busy, 'busy'],
      [slow, 'slow'],
    ] as const) {
      await agent.call('channel.create', { channelId, name: channelId });
      await agent.channel(channelId).subscribe();
    }
    await busy.call('presence.set', { status: 'dnd', customStatus: 'counting sheep' });
    let isOver = false;
    const talk = async (channel: HubChannel, everyMs: number) => {
      while (!isOver) {
        await channel.send('More');
        await sleep(everyMs);
      }
    };
    const talking = [talk(busy.channel('busy'), 20), talk(slow.channel('slow'), 400)];
    try {
      const { page } = ada;
      await page.getByRole('link', { name: 'Operations' }).click();
      const tile = (name: string) => page.locator('.tile', { hasText: name });
      await tile('Redis')
        .and(page.locator('.tile-good', { hasText: 'in use' }))
        .waitFor();
      await tile('Redis memory').getByText('MiB').first().waitFor();
      await tile('Database').getByText('sqlite').waitFor();
      const rate = page.locator('.chart', { hasText: 'Messages per second' });
      await rate.locator('b', { hasText: /^[1-9]\d/ }).waitFor();
      expect(await rate.locator('canvas').count()).toBe(1);
      await page.locator('.figures tr', { hasText: 'this one' }).waitFor();
      const channels = page.locator('section', { hasText: 'Messages/s' }).locator('tbody td');
      await channels.filter({ hasText: 'slow' }).waitFor();
      expect(await channels.first().textContent()).toBe('busy');
      // Ada shares no channel with them.
      const agent = page.locator('.roster .person-dnd', { hasText: 'busy-agent' });
      await agent.getByText('counting sheep').waitFor();
      await page.locator('.roster .person-online', { hasText: 'slow-agent' }).waitFor();
      isOver = true;
      await Promise.all(talking);
      await slow.close();
      await waitFor(
        async () => (await page.locator('.roster', { hasText: 'slow-agent' }).count()) === 0,
        { timeoutMs: 15_000, what: 'the agent that left to be gone' },
      );
      expect(ada.complaints).toEqual([]);
    } finally {
      isOver = true;
    }
  });

  it('orders the channels by what takes longest', async () => {
    const ada = await world.person('ada');
    // Which of two channels is slower cannot be had from a hub at will, so that its figures are given.
    await ada.page.route(/\/v1\/operations\?/, async (route) => {
      const response = await route.fetch();
      const channel = { name: null, sockets: 1, messagesPerSecond: 1 };
      const channels = [
        { ...channel, channelId: 'quick', deliveriesPerSecond: 9, deliveryP99Ms: 1 },
        { ...channel, channelId: 'late', deliveriesPerSecond: 1, deliveryP99Ms: 9 },
      ];
      await route.fulfill({ response, json: { ...(await response.json()), channels } });
    });
    await ada.page.getByRole('link', { name: 'Operations' }).click();
    const first = ada.page
      .locator('section', { hasText: 'Messages/s' })
      .locator('tbody td')
      .first();
    await waitFor(async () => (await first.textContent()) === 'quick');
    await ada.page.getByRole('button', { name: 'slowest' }).click();
    await waitFor(async () => (await first.textContent()) === 'late');
  });
});
