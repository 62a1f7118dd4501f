import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { HubChannel } from '@openclaw/client';
import type { Operations } from '@openclaw/protocol';
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
      const channels = page.locator('.channels tbody td');
      await channels.filter({ hasText: 'slow' }).waitFor();
      expect(await channels.first().textContent()).toBe('busy');
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
    const first = ada.page.locator('.channels tbody td').first();
    await waitFor(async () => (await first.textContent()) === 'quick');
    await ada.page.getByRole('button', { name: 'slowest' }).click();
    await waitFor(async () => (await first.textContent()) === 'late');
  });
});

describe('the verdict of the operations view', () => {
  const minuteMs = 60_000;

  /** Adds a second hub and a day of history for both hubs. */
  async function withDay(
    person: Awaited<ReturnType<typeof world.person>>,
    change: (answer: Operations, minutes: NonNullable<Operations['history']>['minutes']) => void,
  ) {
    await person.page.route(/\/v1\/operations\?/, async (route) => {
      const response = await route.fetch();
      const answer = (await response.json()) as Operations;
      const [own] = answer.hubs;
      const figures = own?.figures;
      if (own == null || figures == null) return route.fulfill({ response, json: answer });
      // The real figures may exceed limits on a busy machine. These tests do not check such limits, so the figures are
      // replaced.
      Object.assign(figures, { ackP99Ms: 5, deliveryP99Ms: 5, publishFailures: 0, tailRepairs: 0 });
      answer.latency = { ackMs: null, deliveryMs: null };
      answer.hubs.push({ ...own, hubId: 'hub-two', isThis: false, figures: { ...figures } });
      const thisMinute = Math.floor(Date.now() / minuteMs) * minuteMs;
      const minutes = Array.from({ length: 1_439 }, (_, n) => thisMinute - (1_439 - n) * minuteMs)
        .flatMap((at) => [own.hubId, 'hub-two'].map((hubId) => ({ hubId, at })))
        .map(({ hubId, at }) => {
          const messages = 600 + Math.round(500 * Math.sin(at / 4_000_000));
          return { hubId, at, figures: { ...figures, ms: minuteMs, messages } };
        });
      change(answer, minutes);
      const isAsked = new URL(route.request().url()).searchParams.has('since');
      const history = { minutes, nextSince: null };
      await route.fulfill({ response, json: isAsked ? { ...answer, history } : answer });
    });
  }

  it('says that all is well, with a day as plots and the hubs as columns', async () => {
    const ada = await world.person('ada', { width: 2_560, height: 1_440 });
    const { page } = ada;
    await withDay(ada, () => undefined);
    await page.getByRole('link', { name: 'Operations' }).click();
    await page.locator('.verdict-good', { hasText: 'All well' }).waitFor();
    const plot = page.locator('.small-plot', { hasText: 'Messages/s' });
    await plot.getByText(/max \d+ · /).waitFor();
    // The SVG path draws one bar for each part of the day that has history.
    const path = await plot.locator('path').getAttribute('d');
    expect((path ?? '').split('M').length).toBeGreaterThan(200);
    const columns = page.locator('th.hub');
    await waitFor(async () => (await columns.count()) === 2, { what: 'two hubs as columns' });
    const rows = page.locator('.hubs tbody tr', { hasText: 'Sockets' }).first().locator('td');
    // Only Ada's own socket is left once the sockets of earlier tests have closed.
    await waitFor(async () => (await rows.allTextContents()).join() === '1,1', {
      what: 'the sockets of both hubs',
      timeoutMs: 15_000,
    });
    expect(await page.locator('.alerts tbody tr').count()).toBeGreaterThan(10);
    await page.getByRole('button', { name: 'Wall view' }).click();
    const box = await page.locator('main.wall').boundingBox();
    expect(box).toMatchObject({ x: 0, y: 0, width: 2_560, height: 1_440 });
    const [first, last] = [
      await page.locator('.tables > section').first().boundingBox(),
      await page.locator('.tables > section').last().boundingBox(),
    ];
    expect(first?.y).toBe(last?.y);
    expect((last?.x ?? 0) + (last?.width ?? 0)).toBeGreaterThan(2_400);
    await page.keyboard.press('Escape');
    await page.locator('main.wall').waitFor({ state: 'detached' });
    expect(ada.pageErrors).toEqual([]);
  });

  it('says what is wrong at which hub and since when, within ten seconds', async () => {
    const ada = await world.person('ada');
    const { page } = ada;
    let isDown = false;
    const beganMs = Math.floor(Date.now() / minuteMs) * minuteMs - 12 * minuteMs;
    await withDay(ada, (answer, minutes) => {
      if (!isDown) return;
      for (const hub of answer.hubs)
        if (hub.hubId === 'hub-two' && hub.figures) hub.figures.database = 'down';
      for (const { hubId, at, figures } of minutes)
        if (hubId === 'hub-two' && at >= beganMs) figures.database = 'down';
    });
    await page.getByRole('link', { name: 'Operations' }).click();
    // Negative control: before the database is down, all is well.
    await page.locator('.verdict-good', { hasText: 'All well' }).waitFor();
    isDown = true;
    const verdict = page.locator('.verdict-bad');
    await verdict.waitFor({ timeout: 10_000 });
    await verdict.getByText('The database does not answer').waitFor();
    await page.reload();
    const time = new Date(beganMs).toTimeString().slice(0, 5);
    await verdict.getByText(`since ${time}`).waitFor();
    await verdict.locator('p', { hasText: 'The database' }).getByText('hub-two').waitFor();
    await page
      .locator('.alerts tr', { hasText: 'Database' })
      .getByText(`alarm since ${time}`)
      .waitFor();
  });
});
