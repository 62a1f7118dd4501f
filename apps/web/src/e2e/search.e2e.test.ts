import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { useWorld, type Person } from '../testing/world.ts';

const world = useWorld();

const found = ({ page }: Person) => page.locator('.found');
const field = ({ page }: Person) => page.getByLabel('Search for words');
const marked = ({ page }: Person, text: string) => page.locator('.row-marked', { hasText: text });

/** Waits for the results of the search, each as its text. */
async function results(person: Person, count: number): Promise<string[]> {
  await waitFor(async () => (await found(person).count()) === count, { what: `${count} results` });
  return found(person).allTextContents();
}

/** Two channels of Ada, with a message far behind the end of the first. */
async function furnish(prefix: string) {
  const { agent, room, people } = await world.meet(`${prefix}-a`, ['ada'], ['bob']);
  const [ada] = people;
  const bob = world.agent('bob');
  await agent.call('channel.create', { channelId: `${prefix}-b`, name: `${prefix} night` });
  for (const agentId of ['ada', 'bob']) await agent.channel(`${prefix}-b`).addMember(agentId);
  const { messageId } = await room.send('The zanzibar deploy failed at the gate');
  await room.send('zanzibar again: `make deploy`', { threadId: messageId });
  await Promise.all(Array.from({ length: 300 }, (_, n) => room.send(`line ${n}.`)));
  await bob.channel(`${prefix}-b`).send('Zanzibar is green');
  await ada.message('line 299.').waitFor();
  return { ada, room };
}

describe('a search', () => {
  it('finds in all channels what the page has not loaded, and opens a result amid its neighbours, by keyboard', async () => {
    const { ada } = await furnish('find');
    const { page } = ada;
    // The index is fed after the commit, within a second.
    await page.keyboard.press('Control+Shift+F');
    await page.keyboard.type('zanzibar');
    await waitFor(
      async () => {
        if ((await found(ada).count()) === 3) return true;
        await page.keyboard.press('Enter');
        return false;
      },
      { everyMs: 300, what: 'the results' },
    );
    const [newest, inThread, oldest] = await results(ada, 3);
    expect(newest).toContain('find night');
    expect(newest).toContain('Zanzibar is green');
    expect(inThread).toContain('in a thread');
    expect(oldest).toContain('The zanzibar deploy failed');
    expect(await found(ada).locator('mark').allTextContents()).toEqual([
      'Zanzibar',
      'zanzibar',
      'zanzibar',
    ]);
    await field(ada).focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'Enter'])
      await page.keyboard.press(key);
    await marked(ada, 'The zanzibar deploy failed').waitFor();
    await ada.message('line 3.').waitFor();
    // The focus stays in the results, so that the next one is two keys away.
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'find night', exact: true }).waitFor();
    await marked(ada, 'Zanzibar is green').waitFor();
    expect(await found(ada).count()).toBe(3);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('.pane .row-marked', { hasText: 'zanzibar again' }).waitFor();
    await page.keyboard.press('Escape');
    await waitFor(
      () => page.evaluate(() => document.activeElement?.textContent?.includes('again') ?? false),
      { what: 'the focus on the result again' },
    );
    await page.keyboard.press('Escape');
    await field(ada).waitFor({ state: 'detached' });
    expect(ada.pageErrors).toEqual([]);
  });

  it('takes filters: from, in, before, after, has', async () => {
    const { ada } = await furnish('filter');
    const { page } = ada;
    await page.keyboard.press('Control+Shift+F');
    const search = async (text: string, count: number) => {
      await field(ada).fill(text);
      return results(ada, count);
    };
    await search('zanzibar', 3);
    expect(await search('zanzibar from:bob', 1)).toEqual([expect.stringContaining('green')]);
    expect(await search('zanzibar in:"filter night"', 1)).toEqual([
      expect.stringContaining('green'),
    ]);
    expect(await search('zanzibar has:code', 1)).toEqual([expect.stringContaining('make deploy')]);
    await search('zanzibar after:yesterday', 3);
    await search('zanzibar before:today', 0);
    await page.getByText('Nothing found').waitFor();
    await field(ada).fill('zanzibar in:nowhere');
    await page.getByText('You have no channel named “nowhere”.').waitFor();
    await field(ada).fill('from:bob');
    await page.getByText('Add a word to search for.').waitFor();
    // Limited to the open channel by a press.
    await field(ada).fill('zanzibar');
    await results(ada, 3);
    await page.getByRole('group', { name: 'Where to search' }).getByText('filter-a').click();
    await results(ada, 2);
    expect(ada.pageErrors).toEqual([]);
  });

  it('is offered by the palette for what nothing else is named', async () => {
    const { ada } = await furnish('palette');
    await ada.page.keyboard.press('Control+k');
    await ada.page.getByRole('combobox').fill('zanzibar green');
    await ada.page.keyboard.press('Enter');
    expect(await field(ada).inputValue()).toBe('zanzibar green');
    await results(ada, 1);
  });
});
