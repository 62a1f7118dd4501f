import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { useWorld, type Person } from '../testing/world.ts';

const world = useWorld();

const link = ({ page }: Person, name: string) =>
  page.locator('.sidebar .chat-link', { hasText: name });
const heading = ({ page }: Person, name: string) =>
  page.getByRole('heading', { name, exact: true, level: 1 });

async function channelsOf(prefix: string, count: number) {
  const agent = world.agent('helper');
  const names = Array.from(
    { length: count },
    (_, n) => `${prefix}-${String(n + 1).padStart(2, '0')}`,
  );
  for (const channelId of names) {
    await agent.call('channel.create', { channelId, name: channelId });
    await agent.call('member.add', { channelId, agentId: 'ada' });
  }
  const ada = await world.person('ada');
  await ada.open(names[0] as string);
  await heading(ada, names[0] as string).waitFor();
  return { agent, ada, names };
}

describe('noise in a channel', () => {
  it('is folded: joins, and runs of the agents’ events; a fold opens and closes', async () => {
    const { agent, room, people } = await world.meet('noise', ['ada']);
    const [ada] = people;
    for (const name of ['b1', 'b2', 'b3', 'b4']) await room.addMember(name);
    await room.send('between');
    for (let n = 0; n < 12; n += 1) await room.emit(n % 2 === 0 ? 'task.end' : 'tool.call', { n });
    await room.send('after');
    await ada.message('after').waitFor();
    const joins = ada.page.getByRole('button', { name: /others joined/ });
    const events = ada.page.getByRole('button', {
      name: /task\.end ×6 and tool\.call ×6 by helper/,
    });
    await joins.waitFor();
    await events.waitFor();
    expect(await ada.page.locator('.collaboration').count()).toBe(0);
    await events.click();
    await waitFor(async () => (await ada.page.locator('.collaboration').count()) === 12);
    await events.click();
    await waitFor(async () => (await ada.page.locator('.collaboration').count()) === 0);
    for (let n = 0; n < 3; n += 1) await agent.channel('noise').emit('task.end', { n });
    await ada.page.getByRole('button', { name: /task\.end ×3 by helper/ }).waitFor();
    expect(ada.pageErrors).toEqual([]);
  });
});

describe('many channels', () => {
  it('are walked by key: the next unread one, the next one, and the palette for the rest', async () => {
    const { agent, ada, names } = await channelsOf('walk', 24);
    const { page } = ada;
    await agent.channel(names[9] as string).send('news');
    await agent.channel(names[4] as string).send('news');
    await link(ada, 'walk-05').locator('.badge').waitFor();
    await link(ada, 'walk-10').locator('.badge').waitFor();
    await page.keyboard.press('Alt+Shift+ArrowDown');
    await heading(ada, 'walk-05').waitFor();
    await link(ada, 'walk-05').locator('.badge').waitFor({ state: 'detached' });
    await page.keyboard.press('Alt+Shift+ArrowDown');
    await heading(ada, 'walk-10').waitFor();
    await link(ada, 'walk-10').locator('.badge').waitFor({ state: 'detached' });
    await page.keyboard.press('Alt+ArrowDown');
    await heading(ada, 'walk-11').waitFor();
    await page.keyboard.press('Alt+ArrowUp');
    await heading(ada, 'walk-10').waitFor();

    const palette = async (text: string) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox').fill(text);
      await page.keyboard.press('Enter');
    };
    await palette('walk 17');
    await heading(ada, 'walk-17').waitFor();
    await palette('operations');
    await page.getByRole('heading', { name: 'Operations', level: 1 }).waitFor();
    await palette('helper');
    await page.getByText('No messages between you and helper yet.').waitFor();
    await palette('create a ch');
    await page.getByRole('dialog').getByLabel('Name').waitFor();
    await page.keyboard.press('Escape');
    await palette('keys');
    await page.getByRole('dialog').getByText('Next unread channel').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    // In a text field a question mark is text. Elsewhere it opens the list of keys.
    await ada.open(names[0] as string);
    await ada.composer.fill('what');
    await page.keyboard.press('?');
    expect(await ada.composer.inputValue()).toBe('what?');
    await page.locator('.conversation .scroller').focus();
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Previous unread channel').waitFor();
    expect(ada.pageErrors).toEqual([]);
  });

  it('can be muted, made favourites, and reduced to the unread ones, also after a reload', async () => {
    const { agent, ada, names } = await channelsOf('choice', 6);
    const { page } = ada;
    const choose = async (channel: string, item: RegExp) => {
      await ada.open(channel);
      await heading(ada, channel).waitFor();
      await page.getByRole('button', { name: 'More', exact: true }).click();
      await page.getByRole('button', { name: item }).click();
    };
    await choose('choice-02', /^Mute/);
    await choose('choice-03', /^Add to favourites/);
    await ada.open('choice-01');
    await heading(ada, 'choice-01').waitFor();
    for (const name of ['choice-02', 'choice-04']) await agent.channel(name).send('news');
    await link(ada, 'choice-04').locator('.badge').waitFor();
    // Events arrive in order only within a channel. When this mention arrives, the muted channel's earlier message has
    // arrived.
    await agent.channel('choice-02').send('@ada look', { mentions: ['ada'] });
    await link(ada, 'choice-02').locator('.badge-mention', { hasText: '1' }).waitFor();
    await page.reload();
    await page
      .locator('.sidebar section', { has: page.getByRole('heading', { name: 'Favourites' }) })
      .locator('.chat-link', { hasText: 'choice-03' })
      .waitFor();
    expect(await link(ada, 'choice-03').count()).toBe(1);
    await link(ada, 'choice-02').locator('.badge-mention', { hasText: /^1 / }).waitFor();
    await page.getByRole('button', { name: 'Unread only' }).click();
    await link(ada, 'choice-05').waitFor({ state: 'detached' });
    const shown = await page
      .locator('.sidebar .chat-link', { hasText: 'choice' })
      .evaluateAll((links) => links.map((item) => /choice-\d\d/.exec(item.textContent ?? '')?.[0]));
    expect(shown).toEqual(['choice-01', 'choice-02', 'choice-04']);
    expect(names).toHaveLength(6);
  });

  it('show more on the screen in the compact density', async () => {
    const { room, people } = await world.meet('dense', ['ada']);
    const [ada] = people;
    const bob = world.agent('bob');
    await room.addMember('bob');
    for (let n = 0; n < 40; n += 1) {
      await (n % 2 === 0 ? room : bob.channel('dense')).send(`line ${n}.`);
    }
    await ada.message('line 39.').waitFor();
    const messagesInView = () =>
      ada.page.evaluate(() => {
        const view = document.querySelector('.conversation .scroller')?.getBoundingClientRect();
        return [...document.querySelectorAll('.conversation .message')].filter((message) => {
          const { top, bottom } = message.getBoundingClientRect();
          return view !== undefined && top >= view.top && bottom <= view.bottom;
        }).length;
      });
    const comfortable = await messagesInView();
    await ada.page.getByRole('button', { name: 'Compact' }).click();
    await waitFor(async () => (await messagesInView()) > comfortable, { what: 'more messages' });
    expect(await messagesInView()).toBeGreaterThanOrEqual(comfortable * 1.25);
    await ada.page.reload();
    await ada.message('line 39.').waitFor();
    expect(await messagesInView()).toBeGreaterThan(comfortable);
  });
});
