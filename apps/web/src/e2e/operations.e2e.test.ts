import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { HubChannel } from '@openclaw/client';
import { waitFor } from '@openclaw/test-support';
import { useWorld } from '../testing/world.ts';

const world = useWorld();

describe('the operations view', () => {
  it('shows the rates, states, channels and agents of the hub', async () => {
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
      await page.locator('th.hub', { hasText: 'this one' }).waitFor();
      const channels = page.locator('section', { hasText: 'Messages/s' }).locator('tbody td');
      await channels.filter({ hasText: 'slow' }).waitFor();
      expect(await channels.first().textContent()).toBe('busy');
      // These agents share no channel with Ada.
      const agent = page.locator('.roster .person-dnd', { hasText: 'busy-agent' });
      await agent.getByText('counting sheep').waitFor();
      await page.locator('.roster .person-online', { hasText: 'slow-agent' }).waitFor();
      isOver = true;
      await Promise.all(talking);
      await slow.close();
      await waitFor(
        async () => (await page.locator('.roster', { hasText: 'slow-agent' }).count()) === 0,
        { timeoutMs: 15_000, what: 'the closed agent to be removed' },
      );
      expect(ada.pageErrors).toEqual([]);
    } finally {
      isOver = true;
    }
  });

  it('orders the channels by latency', async () => {
    const ada = await world.person('ada');
    // A test cannot choose which channel of a real hub is slower, so the figures are replaced.
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
