import { expect, it } from '@jest/globals';
import { createClient, type HubClient } from '@openclaw/client';
import { signToken, waitFor } from '@openclaw/test-support';
import type { Page } from 'playwright-core';
import { personOn, useWorld } from '../testing/world.ts';

const secret = 'a-secret-of-more-than-thirty-two-characters';
const world = useWorld(async () => ({
  ...{ HUB_AUTH: 'jwt', HUB_JWT_SECRET: secret, HUB_AGENT_LOOP: '0' },
}));
const desks = Array.from({ length: 7 }, (_, n) => `desk-${n + 1}`);

const tokenOf = (agentId: string, claims: Record<string, string> = {}) =>
  signToken(secret, agentId, 3_600, claims);
const agentOf = (agentId: string) =>
  createClient({ url: world.hub.url, token: tokenOf(agentId), backoffMinMs: 50 });

async function tabTo(page: Page, selector: string, text = ''): Promise<void> {
  for (let presses = 0; presses < 120; presses += 1) {
    const isThere = await page.evaluate(
      ([wanted, words]) => {
        const { activeElement } = document;
        return activeElement?.matches(wanted) && activeElement.textContent?.includes(words);
      },
      [selector, text] as const,
    );
    if (isThere) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${selector} with “${text}”`);
}

/** Many things happen while Ada is away. Returns the few messages that she must see. */
async function aDay(helper: HubClient) {
  for (const channelId of desks) {
    await helper.call('channel.create', { channelId, name: channelId });
    await helper.channel(channelId).addMember('ada');
  }
  await helper.channel('desk-3').send('The lichen key opens the rollback');
  const calls: string[] = [];
  for (const [index, channelId] of desks.entries()) {
    const room = helper.channel(channelId);
    const lines = index === 2 ? 260 : 12;
    await Promise.all(Array.from({ length: lines }, (_, n) => room.send(`line ${n}.`)));
    if (index % 2 !== 0) continue;
    const call = `@ada call ${index}: please look`;
    await room.send(call, { mentions: ['ada'] });
    calls.push(call);
    await Promise.all(Array.from({ length: 40 }, (_, n) => room.send(`later ${n}.`)));
  }
  await helper.call('direct.send', { agentId: 'ada', content: 'a word in private' });
  return [...calls, 'a word in private'];
}

// The reported failure: opening a channel cleared its unread count, mentions were not shown, and
// search ended at 10,000 lines.
it('a person who was away catches up, finds an old message, and slows down the agent that loops, by keyboard alone', async () => {
  const [helper, ping, pong] = ['helper', 'ping', 'pong'].map(agentOf) as [
    HubClient,
    HubClient,
    HubClient,
  ];
  const asked = await aDay(helper);
  let isOver = false;
  await ping.call('channel.create', { channelId: 'loop', name: 'loop' });
  await pong.channel('loop').join();
  const talk = async (from: HubClient, to: string) => {
    while (!isOver) {
      const sent = from.channel('loop').send(`and you, @${to}?`, { mentions: [to] });
      await sent.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  };
  const talking = [talk(ping, 'pong'), talk(pong, 'ping')];
  try {
    const page = await world.tab();
    const ada = personOn(page);
    const { keyboard } = page;
    await page.goto(world.hub.httpUrl);
    await page.getByLabel('Access token').waitFor();
    await tabTo(page, 'input[name="token"]');
    await keyboard.type(tokenOf('ada', { role: 'admin', kind: 'person' }));
    await keyboard.press('Enter');
    await page.locator('.workspace').waitFor();

    const seen: string[] = [];
    const needs = page.locator('.need');
    await keyboard.press('Alt+Shift+N');
    await waitFor(async () => (await needs.count()) === asked.length, {
      timeoutMs: 20_000,
      what: 'all that needs her',
    });
    for (let left = asked.length; left > 0; left -= 1) {
      await waitFor(() => page.evaluate(() => document.activeElement?.matches('.need') ?? false), {
        what: 'the focus on one',
      });
      await keyboard.press('Enter');
      const marked = page.locator('.row-marked .content');
      await marked.waitFor();
      seen.push((await marked.textContent()) ?? '');
      await keyboard.press('Alt+Shift+N');
      await waitFor(() => page.evaluate(() => document.activeElement?.matches('.need') ?? false), {
        what: 'the focus again',
      });
      await keyboard.press('e');
      await waitFor(async () => (await needs.count()) === left - 1, { what: 'one less' });
    }
    expect(seen.sort()).toEqual([...asked].sort());
    await page.getByText('Nothing needs you.').waitFor();

    const opened = new Set<string>();
    for (let step = 0; step < 12; step += 1) {
      await keyboard.press('Alt+Shift+ArrowDown');
      if ((await page.getByText('Everything is read').count()) > 0) break;
      await page.locator('.conversation .message').first().waitFor();
      opened.add((await page.locator('.channel-header h1').textContent()) ?? '');
      await keyboard.press('Shift+Escape');
      const badge = page.locator('.chat-link[aria-current="page"] .badge');
      await badge.waitFor({ state: 'detached' });
    }
    const reader = createClient({ url: world.hub.url, token: tokenOf('ada') });
    await waitFor(
      async () => (await reader.readState()).channels.every(({ unread }) => unread === 0),
      { timeoutMs: 20_000, what: 'everything to be read' },
    );
    await reader.close();
    for (const desk of desks) expect([...opened]).toContain(desk);

    const palette = async (text: string) => {
      await keyboard.press('Control+k');
      await page.getByRole('combobox').waitFor();
      await keyboard.type(text);
    };
    await palette('desk-3');
    await keyboard.press('Enter');
    await ada.message('later 39.').waitFor();
    expect(await ada.message('The lichen key').count()).toBe(0);
    await keyboard.press('Control+Shift+F');
    await page.getByLabel('Search for words').waitFor();
    await keyboard.type('lichen from:helper in:desk-3');
    await page.locator('.found').waitFor();
    await keyboard.press('ArrowDown');
    await keyboard.press('Enter');
    await page.locator('.row-marked', { hasText: 'The lichen key' }).waitFor();
    await keyboard.press('Escape');

    // Within ten seconds Ada sees what is wrong, and can act on it.
    const startMs = Date.now();
    await palette('fleet');
    await keyboard.press('Enter');
    await page.locator('.fleet-looping[href="#/agent/pong"]').waitFor();
    expect(Date.now() - startMs).toBeLessThan(10_000);
    await tabTo(page, '.fleet-tile[href="#/agent/pong"]');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'pong' }).waitFor();
    await tabTo(page, 'button', 'Slow down');
    await keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await tabTo(page, 'dialog button.primary', 'Slow down');
    await keyboard.press('Enter');
    await page.getByText('limited to 6/60').waitFor();
    await waitFor(
      () =>
        pong
          .channel('loop')
          .send('still here')
          .then(
            () => false,
            ({ code }: { code: string }) => code === 'rate_limited',
          ),
      { timeoutMs: 15_000, everyMs: 100, what: 'the limit' },
    );
    expect(ada.pageErrors).toEqual([]);
  } finally {
    isOver = true;
    await Promise.all(talking);
    await Promise.all([helper, ping, pong].map((client) => client.close()));
  }
});
