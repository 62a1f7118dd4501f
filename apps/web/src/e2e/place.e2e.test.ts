import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import type { Locator, Page } from 'playwright-core';
import { personOn, useWorld } from '../testing/world.ts';

const world = useWorld();

function isInView(found: Locator): Promise<boolean> {
  return found.evaluateAll((elements) =>
    elements.some((element) => {
      const { top, bottom } = element.getBoundingClientRect();
      const view = element.closest('.scrolled, .beginning')?.getBoundingClientRect();
      return view !== undefined && top < view.bottom - 4 && bottom > view.top + 4;
    }),
  );
}

const seen = (found: Locator, what: string) => waitFor(() => isInView(found), { what });

async function nextTab(page: Page, hash = '') {
  const tab = await page.context().newPage();
  await tab.goto(`${world.hub.httpUrl}${hash}`);
  return personOn(tab);
}

describe('a message that was just sent', () => {
  it('is in view, also for a reader who had scrolled up, and in a thread', async () => {
    const { room, people } = await world.meet('sent', ['ada']);
    const [ada] = people;
    const { messageId } = await room.send('the root');
    for (let n = 0; n < 40; n += 1) await room.send(`reply ${n}.`, { threadId: messageId });
    for (let n = 0; n < 40; n += 1) await room.send(`line ${n}.`);
    await ada.message('line 39.').waitFor();
    const scrollUp = async (list: Locator) => {
      await list.hover();
      await waitFor(
        async () => {
          await ada.page.mouse.wheel(0, -400);
          return list.evaluate(({ scrollTop, scrollHeight, clientHeight }) => {
            return scrollTop < scrollHeight - clientHeight - 300;
          });
        },
        { everyMs: 50, what: 'the list is scrolled' },
      );
    };
    await scrollUp(ada.page.locator('.conversation .scroller'));
    await ada.write('from above');
    await seen(ada.message('from above'), 'the message');

    await ada.page.evaluate((id) => (location.hash = `#/channel/sent/thread/${id}`), messageId);
    await ada.reply('reply 39.').waitFor();
    await scrollUp(ada.page.locator('.pane .scroller'));
    await ada.page.locator('.pane .composer textarea').fill('my reply');
    await ada.page.keyboard.press('Enter');
    await seen(ada.reply('my reply'), 'the reply');
  });

  it('is in view in a direct channel that it creates, however long it is', async () => {
    const ada = await world.person('ada');
    await ada.page.evaluate(() => (location.hash = '#/direct/somebody'));
    await ada.page.getByText('No messages between you').waitFor();
    await ada.composer.fill(`${'word\n'.repeat(30)}the end`);
    await ada.page.keyboard.press('Enter');
    await seen(ada.page.locator('.message', { hasText: 'the end' }), 'the message');
  });
});

describe('a long run of one author', () => {
  it('names the author on every screen, and every time is of one clock', async () => {
    const { room, people } = await world.meet('run', ['ada']);
    const [ada] = people;
    for (let n = 0; n < 60; n += 1) await room.send(`line ${n}.`);
    await ada.message('line 59.').waitFor();
    const list = ada.page.locator('.conversation .scroller');
    for (const share of [0.9, 0.5, 0.2]) {
      await list.evaluate((element, part) => {
        element.scrollTop = element.scrollHeight * part - element.clientHeight / 2;
      }, share);
      const named = () =>
        ada.page.evaluate(() => {
          const view = document.querySelector('.conversation .scrolled')?.getBoundingClientRect();
          return [...document.querySelectorAll('.conversation :is(.author, .author-at-top)')].some(
            (element) => {
              const { top, bottom } = element.getBoundingClientRect();
              return view !== undefined && bottom > view.top && top < view.bottom;
            },
          );
        });
      await waitFor(named, { what: `the author at ${share}` });
    }
    await ada.message('line').first().hover();
    const times = await ada.page
      .locator('time')
      .evaluateAll((found) =>
        found.map((time) => `${time.textContent} ${(time as HTMLElement).title}`),
      );
    expect(times.length).toBeGreaterThan(0);
    expect(times.filter((time) => /[AP]\.?M/i.test(time.replace(/\b[A-Z][a-z]+\b/g, '')))).toEqual(
      [],
    );
    expect(times.every((time) => /^\d\d:\d\d/.test(time))).toBe(true);
  });
});

describe('one sign-in', () => {
  it('is for all tabs; drafts and counts agree between them, and so does the sign-out', async () => {
    const { room, agent, people } = await world.meet('tabs', ['ada']);
    const [ada] = people;
    await agent.call('channel.create', { channelId: 'tabs-2', name: 'elsewhere' });
    await agent.call('member.add', { channelId: 'tabs-2', agentId: 'ada' });
    const other = await nextTab(ada.page, '#/channel/tabs-2');
    await other.page.getByRole('heading', { name: 'elsewhere' }).waitFor();
    await ada.composer.fill('half a thought');
    await other.open('tabs');
    await waitFor(async () => (await other.composer.inputValue()) === 'half a thought', {
      what: 'the draft',
    });
    await other.composer.fill('a whole thought');
    await waitFor(async () => (await ada.composer.inputValue()) === 'a whole thought', {
      what: 'the draft, back',
    });
    for (const person of [ada, other]) await person.open('tabs-2');
    for (const person of [ada, other])
      await person.page.getByRole('heading', { name: 'elsewhere' }).waitFor();
    await room.send('news');
    const badges = [ada, other].map(({ page }) =>
      page.locator('.sidebar .chat-link', { hasText: 'tabs' }).locator('.badge'),
    );
    for (const badge of badges) await badge.getByText('1').waitFor();
    await other.open('tabs');
    for (const badge of badges) await badge.waitFor({ state: 'detached' });
    await ada.page.getByRole('button', { name: 'Sign out' }).click();
    for (const person of [ada, other]) await person.page.getByLabel('Your name').waitFor();
    expect([...ada.pageErrors, ...other.pageErrors]).toEqual([]);
  });

  it('lands where the agent left, also after another agent has used the browser', async () => {
    const { agent, people } = await world.meet('left', ['ada']);
    const [ada] = people;
    const { page } = ada;
    await agent.call('channel.create', { channelId: 'left-2', name: 'the last one' });
    await agent.call('member.add', { channelId: 'left-2', agentId: 'ada' });
    await ada.open('left-2');
    await page.getByRole('heading', { name: 'the last one' }).waitFor();
    const signIn = async (name: string) => {
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByLabel('Your name').fill(name);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.locator('.workspace').waitFor();
    };
    await signIn('bob');
    await page.getByRole('heading', { name: 'Channels', level: 1 }).waitFor();
    await signIn('ada');
    await page.getByRole('heading', { name: 'the last one' }).waitFor();
  });
});
