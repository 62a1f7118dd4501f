import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, it } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import { createClient } from '@openclaw/client';
import { signToken, waitFor } from '@openclaw/test-support';
import { personOn, useWorld } from '../testing/world.ts';

const secret = 'a-secret-of-more-than-thirty-two-characters';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const world = useWorld(async () => ({
  ...{ HUB_AUTH: 'jwt', HUB_JWT_SECRET: secret, HUB_HOST: '127.0.0.1', HUB_AGENT_LOOP: '0' },
}));
const adminToken = () =>
  signToken(secret, 'ada', 3_600, { role: 'admin', kind: 'person', iat: Date.now() / 1000 });

function agentOf(name: string) {
  const token = signToken(secret, name, 3_600, { iat: Math.floor(Date.now() / 1000) });
  return createClient({ url: world.hub.url, token, backoffMinMs: 50, backoffMaxMs: 300 });
}

async function overseer(width = 1_280, colorScheme: 'light' | 'dark' = 'light') {
  const page = await world.tab({ width, height: 900, colorScheme });
  const person = personOn(page);
  await page.goto(world.hub.httpUrl);
  await page.getByLabel('Access token').fill(adminToken());
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.workspace').waitFor();
  return person;
}

async function violations(page: Awaited<ReturnType<typeof world.tab>>) {
  await page.evaluate(axe);
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<unknown> } }).axe.run(),
  );
  return (results as AxeResults).violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
  );
}

async function auditOf(action: string) {
  const response = await fetch(`${world.hub.httpUrl}/v1/audit?action=${action}`, {
    headers: { authorization: `Bearer ${adminToken()}` },
  });
  const { entries } = (await response.json()) as {
    entries: { actor: string; target: string; details: { reason?: string; message?: string } }[];
  };
  return entries.map(({ actor, target, details }) => [
    ...[actor, target, details.reason ?? details.message],
  ]);
}

// The reported failure: two agents answered each other, and the page neither showed which agents
// nor could stop them.
it('an overseer sees which agents loop, opens one, and slows it down, freezes, kicks and revokes it', async () => {
  const [ping, pong, calm] = [agentOf('ping'), agentOf('pong'), agentOf('calm')];
  let isOver = false;
  const talking: Promise<unknown>[] = [];
  try {
    await ping.call('channel.create', { channelId: 'loop', name: 'Loop' });
    for (const other of [pong, calm]) await other.channel('loop').join();
    const turn = { model: 'small-1', tokensIn: 900, tokensOut: 100, costMicros: 250_000, ms: 10 };
    await pong.channel('loop').send('hello', { metadata: { turn } });
    const loop = async (from: typeof ping, to: string) => {
      while (!isOver) {
        await from
          .channel('loop')
          .send(`and you, ${to}?`, { mentions: [to] })
          .catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    };
    talking.push(loop(ping, 'pong'), loop(pong, 'ping'));
    const ada = await overseer();
    const { page } = ada;
    await page.getByRole('link', { name: 'Fleet' }).click();
    const tiles = page.locator('.fleet-tile');
    const tileOf = (agentId: string) => page.locator(`.fleet-tile[href="#/agent/${agentId}"]`);
    const looping = page.locator('.fleet-looping');
    await tileOf('ping').and(looping).waitFor();
    await tileOf('pong').and(looping).waitFor();
    // Negative control: the third agent only waits, and is not in the loop.
    await tileOf('calm').and(page.locator('.fleet-waiting')).waitFor();
    // The reader shares no channel with the agent, so the page learns the agent's turn only from the hub.
    await calm.channel('loop').setTurn({ state: 'tool', label: 'Runs the tests' });
    await tileOf('calm').and(page.locator('.fleet-working')).getByText('Runs the tests').waitFor();
    expect(await tiles.first().textContent()).toContain('ping');
    expect(await tiles.filter({ hasText: 'ada' }).count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: /^Looping/ }).click();
    await waitFor(async () => (await tiles.count()) === 2, { what: 'the looping ones alone' });
    await tileOf('pong').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'pong' }).waitFor();
    await page.getByText(/answers ping, \d+ a minute/).waitFor();
    await page.locator('.tile', { hasText: 'Tokens, 24 hours' }).getByText('1.0k').waitFor();
    await page.locator('.tile', { hasText: 'Cost, 24 hours' }).getByText('0.25').waitFor();
    await page.locator('.last-words', { hasText: 'and you, ping?' }).waitFor();
    expect(await violations(page)).toEqual([]);

    const act = async (button: string, fill: () => Promise<unknown>) => {
      await page.getByRole('button', { name: button, exact: true }).first().click();
      const dialog = page.getByRole('dialog');
      await dialog.waitFor();
      await fill();
      expect(await violations(page)).toEqual([]);
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
    };
    const reason = async () => {
      const dialog = page.getByRole('dialog');
      expect(await dialog.locator('button[type=submit]').isDisabled()).toBe(true);
      await dialog.getByLabel('Reason').fill('it loops');
    };
    await act('Slow down', async () => {
      await page.getByLabel('Messages a minute').selectOption('1');
      await page.getByRole('dialog').getByRole('button', { name: 'Slow down' }).focus();
    });
    await page.getByText('limited to 1/60').waitFor();
    const refused = page.locator('.tile', { hasText: 'Refused, 10 minutes' });
    await refused.getByText(/rate limited/).waitFor();
    await page.getByRole('button', { name: 'Lift the limit' }).click();
    await page.getByText('usual limits').waitFor();
    await act('Freeze', reason);
    await page.getByRole('button', { name: 'Unfreeze' }).waitFor();
    await refused.getByText(/frozen/).waitFor();
    await act('Unfreeze', async () => {
      await page.getByRole('dialog').getByRole('button', { name: 'Unfreeze' }).focus();
    });
    await page.getByRole('button', { name: 'Freeze', exact: true }).waitFor();
    const kicked = new Promise((resolve) => pong.on('state', resolve));
    await act('Kick', reason);
    await kicked;
    await act('Revoke…', reason);
    await waitFor(() => pong.state === 'closed', { what: 'the revoked agent to be refused' });
    const [last] = await auditOf('token.revoke');
    expect(last).toEqual(['ada', 'pong', 'it loops']);
    expect(await auditOf('agent.kick')).toEqual([['ada', 'pong', 'it loops']]);
    expect(await auditOf('freeze')).toEqual([['ada', 'pong', 'it loops']]);
    expect((await auditOf('agent.limit')).at(-1)).toEqual(['ada', 'pong', '1/60']);
    await page.getByRole('link', { name: 'Message' }).click();
    await page.locator('.channel-header', { hasText: 'pong' }).waitFor();
    expect(ada.pageErrors).toEqual([]);
  } finally {
    isOver = true;
    await Promise.all(talking);
    await Promise.all([ping, pong, calm].map((client) => client.close()));
  }
});

it.each([
  [320, 'light'],
  [2_560, 'dark'],
] as const)('the board fits a screen of %d px', async (width, colorScheme) => {
  const bots = Array.from({ length: 30 }, (_, n) => agentOf(`bot-with-a-rather-long-name-${n}`));
  try {
    await Promise.all(bots.map((bot) => bot.ready()));
    const ada = await overseer(width, colorScheme);
    const { page } = ada;
    await page.evaluate(() => (location.hash = '#/fleet'));
    await waitFor(async () => (await page.locator('.fleet-tile').count()) >= 30, {
      what: 'a tile for each',
      timeoutMs: 20_000,
    });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBe(0);
    const tile = await page.locator('.fleet-tile').first().boundingBox();
    expect(tile?.width).toBeGreaterThan(200);
    expect(tile?.width).toBeLessThan(320);
    expect(await violations(page)).toEqual([]);
    await page.locator('.fleet-tile').first().click();
    await page.locator('.agent-actions').waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(wide).toBe(0);
    expect(ada.pageErrors).toEqual([]);
  } finally {
    await Promise.all(bots.map((bot) => bot.close()));
  }
});
