import { describe, expect, it } from '@jest/globals';
import type { Operations } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import { useWorld } from '../testing/world.ts';

const world = useWorld();

describe('when the hub freezes', () => {
  it('the page says so within five seconds, greys old figures, and is live again afterwards', async () => {
    const ada = await world.person('ada');
    const bob = await world.person('bob');
    await bob.page.getByRole('link', { name: 'Operations' }).click();
    await bob.page.locator('.tile').first().waitFor();
    expect(await bob.page.locator('.stale').count()).toBe(0);
    const status = ada.page.locator('.connection');
    await status.getByText('Live', { exact: true }).waitFor();
    world.hub.freeze();
    try {
      const frozenAt = performance.now();
      await status.getByText('The hub does not answer').waitFor({ timeout: 5_000 });
      expect(performance.now() - frozenAt).toBeLessThan(5_000);
      await bob.page.locator('.operations.stale').waitFor();
      await bob.page.getByText(/as of \d\d:\d\d:\d\d/).waitFor();
    } finally {
      world.hub.thaw();
    }
    await status.getByText('Live', { exact: true }).waitFor();
    await bob.page.locator('.operations.stale').waitFor({ state: 'detached' });
    expect(ada.pageErrors).toEqual([]);
  });

  // Negative control: a hub that answers is not reported, even when it has no traffic.
  it('a quiet hub that answers is live', async () => {
    const ada = await world.person('ada');
    const pings: number[] = [];
    ada.page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        if (String(payload).includes('"ping"')) pings.push(performance.now());
      }),
    );
    await ada.page.reload();
    await ada.page.locator('.workspace').waitFor();
    await waitFor(() => pings.length >= 4, { timeoutMs: 30_000, what: 'four pings' });
    expect(await ada.page.locator('.connection').textContent()).toBe('Live');
  });
});

describe('the presence in direct messages', () => {
  it('is the hub’s, also of an agent that shares no channel with the reader', async () => {
    const stranger = world.agent('stranger');
    await stranger.ready();
    const ada = await world.person('ada');
    await ada.page.evaluate(() => (location.hash = '#/direct/stranger'));
    const header = ada.page.locator('.channel-header');
    await header.getByText('Online').waitFor();
    await ada.page.evaluate(() => (location.hash = '#/direct/nobody-knows'));
    await header.getByText('Status not known').waitFor();
    await ada.page.evaluate(() => (location.hash = '#/direct/stranger'));
    await header.getByText('Online').waitFor();
    await stranger.close();
    await header.getByText(/Offline|not known/).waitFor();
  });
});

describe('a hub that died', () => {
  it('stays in the table until it is dismissed', async () => {
    const ada = await world.person('ada');
    let hubs: Operations['hubs'] = [];
    // The test changes the answers instead of killing a hub, because a hub leaves the list only a minute after its
    // death.
    await ada.page.route(/\/v1\/operations\?/, async (route) => {
      const response = await route.fetch();
      const answer = (await response.json()) as Operations;
      await route.fulfill({ response, json: { ...answer, hubs: [...answer.hubs, ...hubs] } });
    });
    hubs = [{ hubId: 'hub-two', lastBeatAgoMs: 900, isThis: false, figures: null }];
    await ada.page.getByRole('link', { name: 'Operations' }).click();
    const row = ada.page.locator('th.hub', { hasText: 'hub-two' });
    await row.getByText('ago').waitFor();
    hubs = [{ hubId: 'hub-two', lastBeatAgoMs: 58_000, isThis: false, figures: null }];
    await row.getByText(/dead since \d\d:\d\d/).waitFor();
    hubs = [];
    await ada.page.reload();
    await row.getByText(/dead since \d\d:\d\d/).waitFor();
    await row.getByRole('button', { name: 'Dismiss hub-two' }).click();
    await row.waitFor({ state: 'detached' });
    await ada.page.reload();
    await ada.page.locator('th.hub', { hasText: 'this one' }).waitFor();
    expect(await row.count()).toBe(0);
  });
});
