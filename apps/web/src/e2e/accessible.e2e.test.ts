import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import { useWorld, type Person } from '../testing/world.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const world = useWorld();

async function violations({ page }: Person): Promise<string[]> {
  // During a transition, colours are mixed and would fail the contrast rule.
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((animation) => animation instanceof CSSTransition)
        .map((transition) => transition.finished.catch(() => {})),
    ),
  );
  await page.evaluate(axe);
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<unknown> } }).axe.run(),
  );
  return (results as AxeResults).violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
  );
}

async function furnish(channelId: string) {
  const agent = world.agent('helper');
  await agent.call('channel.create', { channelId, name: channelId, topic: 'What is to be done' });
  for (const agentId of ['ada', 'bob']) await agent.call('member.add', { channelId, agentId });
  await agent.channel(channelId).subscribe();
  await agent.call('presence.set', { status: 'away', customStatus: 'Thinking', avatar: '🤖' });
  const room = agent.channel(channelId);
  const { messageId } = await room.send(
    'Look @ada: `code`, [a link](https://example.com)\n\n```js\n1 + 1\n```\n\n> so\n\n| a | b |\n|---|---|\n| 1 | 2 |',
    { mentions: ['ada'] },
  );
  await room.send('A reply', { threadId: messageId });
  await room.react(messageId, '👍');
  await room.emit('task.end', { step: 1 });
  const gone = await room.send('gone');
  await room.delete(gone.messageId);
  await agent.call('direct.send', { agentId: 'ada', content: 'psst' });
}

describe.each(['light', 'dark'] as const)('axe-core, in %s', (colorScheme) => {
  it('finds no violation in any view', async () => {
    const channelId = `axe-${colorScheme}`;
    await furnish(channelId);
    const ada = await world.person('ada', { colorScheme });
    const { page } = ada;
    await ada.open(channelId);
    await page.locator('.collaboration').waitFor();
    await page.locator('.message').first().hover();
    expect(await violations(ada)).toEqual([]);
    await page.getByRole('button', { name: /^Members/ }).click();
    await page.locator('.person').first().waitFor();
    expect(await violations(ada)).toEqual([]);
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByLabel('Search for words').fill('look');
    await page.locator('.found').first().waitFor();
    expect(await violations(ada)).toEqual([]);
    await page.locator('.replies').click();
    await page.locator('.pane .message', { hasText: 'A reply' }).waitFor();
    expect(await violations(ada)).toEqual([]);
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').waitFor();
    expect(await violations(ada)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Set your status' }).click();
    expect(await violations(ada)).toEqual([]);
    await page.keyboard.press('Escape');
    for (const view of ['needs', 'browse', 'fleet', 'operations']) {
      await page.evaluate((name) => (location.hash = `#/${name}`), view);
      await page.locator('.page h1').waitFor();
      expect(await violations(ada)).toEqual([]);
    }
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Your name').waitFor();
    expect(await violations(ada)).toEqual([]);
  });
});

describe('at the width of a phone', () => {
  it('the channels are in a drawer, a thread covers the page, and messages can be sent', async () => {
    await furnish('phone');
    const bob = await world.person('bob', { width: 390, height: 844 });
    const { page } = bob;
    await page.getByRole('button', { name: 'Open the menu' }).click();
    await page.getByRole('link', { name: /phone/ }).click();
    await page.locator('.message').first().waitFor();
    await page.locator('.sidebar').waitFor({ state: 'hidden' });
    await bob.write('from a phone');
    await page.locator('.rows .message', { hasText: 'from a phone' }).waitFor();
    await page.locator('.replies').click();
    await page.locator('.pane .message', { hasText: 'A reply' }).waitFor();
    await page.getByRole('button', { name: 'Close: Thread' }).click();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBe(0);
    expect(await violations(bob)).toEqual([]);
    expect(bob.pageErrors).toEqual([]);
  });
});
