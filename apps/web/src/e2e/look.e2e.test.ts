import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { clickAction, useWorld } from '../testing/world.ts';

const world = useWorld();

describe('a display name', () => {
  it('is shown alone, with the id on hover, where no other agent could be meant', async () => {
    const { room, people } = await world.meet('named', ['ada']);
    const [ada] = people;
    await room.updateMember('helper', { displayName: 'The Planner' });
    await room.send('A plan');
    const author = ada.message('A plan').locator('.author');
    await waitFor(async () => (await author.textContent()) === 'The Planner', { what: 'the name' });
    expect(await author.locator('[title="helper"]').count()).toBe(1);
    await room.startTyping();
    await ada.page.getByText('The Planner is typing').waitFor();
  });
});

describe('the density', () => {
  it('shows many messages on a screen, twice as many in the compact one, and an edit takes no line', async () => {
    const { room, people } = await world.meet('dense', ['ada']);
    const [ada] = people;
    const other = world.agent('other');
    await room.addMember('other');
    const { messageId } = await room.send('One line 0');
    await room.edit(messageId, 'One line of text');
    for (let n = 1; n < 40; n += 1)
      await (n % 2 === 0 ? room : other.channel('dense')).send(`One line ${n}.`);
    await ada.message('One line 39.').waitFor();
    const shownCount = () =>
      ada.page.evaluate(() => {
        const list = document.querySelector('.conversation .scroller')?.getBoundingClientRect();
        const rows = [...document.querySelectorAll('.conversation .message')];
        return rows.filter((row) => {
          const { top, bottom } = row.getBoundingClientRect();
          return top >= (list?.top ?? 0) && bottom <= (list?.bottom ?? 0) + 1;
        }).length;
      });
    expect(await shownCount()).toBeGreaterThanOrEqual(12);
    await ada.page.getByRole('button', { name: 'Compact' }).click();
    await ada.message('One line 39.').waitFor();
    await waitFor(async () => (await shownCount()) >= 24, { what: 'the compact rows' });
    await ada.page.locator('.conversation .scroller').evaluate((list) => list.scrollTo(0, 0));
    const edited = ada.message('One line of text').locator('.edited');
    const text = ada.message('One line of text').locator('.content > p');
    const heights = [await edited.boundingBox(), await text.boundingBox()];
    expect(Math.abs((heights[0]?.y ?? 0) - (heights[1]?.y ?? 99))).toBeLessThan(8);
    expect(ada.pageErrors).toEqual([]);
  });
});

describe('on a screen of 2,560 px', () => {
  it('a line of text stays readable, and operations use the width', async () => {
    const helper = world.agent('helper');
    await helper.call('channel.create', { channelId: 'wide', name: 'wide' });
    await helper.channel('wide').addMember('ada');
    await helper.channel('wide').send('word '.repeat(400));
    const ada = await world.person('ada', { width: 2_560, height: 1_300 });
    await ada.open('wide');
    await ada.message('word').waitFor();
    const text = await ada.message('word').locator('.content p').boundingBox();
    expect(text?.width).toBeLessThan(800);
    await ada.page.getByRole('link', { name: 'Operations' }).click();
    await ada.page.locator('.tile').first().waitFor();
    const charts = await ada.page.locator('.charts').boundingBox();
    expect(charts?.width).toBeGreaterThan(2_000);
  });
});

describe('on a touch screen', () => {
  it('every button and link of a view is at least 44 px high', async () => {
    const { room } = await world.meet('touched', [], ['ada']);
    await room.send('Look: `code`');
    const ada = await world.person('ada', { width: 390, height: 844, isTouch: true });
    await ada.open('touched');
    await ada.message('Look').tap();
    const tooSmall = () =>
      ada.page.evaluate(async () => {
        // While the menu slides in, a rectangle may be 43.99 px wide. A cancelled transition has ended too.
        const transitions = document.getAnimations().filter((one) => one instanceof CSSTransition);
        await Promise.allSettled(transitions.map(({ finished }) => finished));
        return [...document.querySelectorAll('button, .chat-link, .button')]
          .filter((element) => {
            const { width, height } = element.getBoundingClientRect();
            const isShown = (element as HTMLElement).checkVisibility({ visibilityProperty: true });
            return isShown && width > 0 && (height < 44 || width < 44);
          })
          .map((element) => element.outerHTML.slice(0, 120));
      });
    expect(await tooSmall()).toEqual([]);
    await ada.page.getByRole('button', { name: 'Open the menu' }).tap();
    await ada.page.getByRole('link', { name: 'touched' }).waitFor();
    expect(await tooSmall()).toEqual([]);
    await room.send('@ada look', { mentions: ['ada'] });
    await ada.page.getByRole('link', { name: 'Needs you' }).tap();
    await ada.page.locator('.need').waitFor();
    expect(await tooSmall()).toEqual([]);
    await ada.page.evaluate(() => (location.hash = '#/channel/touched'));
    await ada.page.getByRole('button', { name: 'Search' }).tap();
    await ada.page.getByLabel('Search for words').waitFor();
    expect(await tooSmall()).toEqual([]);
    expect(ada.pageErrors).toEqual([]);
  });
});

describe('a question before something is lost', () => {
  it('has its button in the colour of a warning', async () => {
    const { people } = await world.meet('warned', ['ada']);
    const [ada] = people;
    const colourOf = (name: string) =>
      ada.page
        .getByRole('dialog')
        .getByRole('button', { name, exact: true })
        .evaluate((button) => getComputedStyle(button).backgroundColor);
    await ada.write('mine');
    await ada.page.locator('.rows .message', { hasText: 'mine' }).waitFor();
    await clickAction(ada.page.locator('.rows .message', { hasText: 'mine' }), 'Delete');
    const warning = await colourOf('Delete');
    await ada.page.keyboard.press('Escape');
    await ada.page.getByRole('dialog').waitFor({ state: 'detached' });
    await ada.page.getByRole('button', { name: 'Create a channel' }).first().click();
    const agreement = await colourOf('Create');
    expect(warning).toBe('rgb(179, 38, 30)');
    expect(agreement).not.toBe(warning);
  });
});
