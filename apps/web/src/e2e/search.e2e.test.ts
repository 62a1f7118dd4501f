import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { useWorld, type Person } from '../testing/world.ts';

const world = useWorld();

const found = ({ page }: Person) => page.locator('.found');
const field = ({ page }: Person) => page.getByLabel('Search for words');
const marked = ({ page }: Person, text: string) => page.locator('.row-marked', { hasText: text });

/**
 * Waits until `count` results are shown, one of them with the excerpt. Types the text repeatedly, because the index may
 * get a message only a second after the commit.
 */
async function search(
  person: Person,
  text: string,
  count: number,
  excerpt = '',
): Promise<string[]> {
  let texts: string[] = [];
  for (let attempt = 0; attempt < 10; attempt += 1) {
    await field(person).fill(text + ' '.repeat(attempt % 2));
    const isFound = async () => {
      texts = await found(person).allTextContents();
      return (
        texts.length === count && (count === 0 || texts.some((each) => each.includes(excerpt)))
      );
    };
    const wait = { timeoutMs: 2_000, what: 'the results' };
    if (await waitFor(isFound, wait).catch(() => false)) return texts;
  }
  throw new Error(`${text} found ${JSON.stringify(texts)}`);
}

async function furnish(prefix: string, word: string) {
  const { agent, room, people } = await world.meet(`${prefix}-a`, ['ada'], ['bob']);
  const [ada] = people;
  const bob = world.agent('bob');
  await agent.call('channel.create', { channelId: `${prefix}-b`, name: `${prefix} night` });
  for (const agentId of ['ada', 'bob']) await agent.channel(`${prefix}-b`).addMember(agentId);
  const { messageId } = await room.send(`The ${word} deploy failed at the gate`);
  await room.send(`${word} again: \`make deploy\``, { threadId: messageId });
  await Promise.all(Array.from({ length: 300 }, (_, n) => room.send(`line ${n}.`)));
  await bob.channel(`${prefix}-b`).send(`${word} is green`);
  await ada.message('line 299.').waitFor();
  return { ada, room };
}

describe('a search', () => {
  it('finds in all channels what the page has not loaded, and opens a result amid its neighbours, by keyboard', async () => {
    const { ada } = await furnish('find', 'Zanzibar');
    const { page } = ada;
    await page.keyboard.press('Control+Shift+F');
    const [newest, inThread, oldest] = await search(ada, 'zanzibar', 3);
    expect(newest).toContain('find night');
    expect(newest).toContain('Zanzibar is green');
    expect(inThread).toContain('in a thread');
    expect(oldest).toContain('The Zanzibar deploy failed');
    expect(await found(ada).locator('mark').allTextContents()).toEqual([
      'Zanzibar',
      'Zanzibar',
      'Zanzibar',
    ]);
    await field(ada).focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'Enter'])
      await page.keyboard.press(key);
    await marked(ada, 'The Zanzibar deploy failed').waitFor();
    await ada.message('line 3.').waitFor();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'find night', exact: true }).waitFor();
    await marked(ada, 'Zanzibar is green').waitFor();
    expect(await found(ada).count()).toBe(3);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('.pane .row-marked', { hasText: 'Zanzibar again' }).waitFor();
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
    const { ada } = await furnish('filter', 'mombasa');
    const { page } = ada;
    await page.keyboard.press('Control+Shift+F');
    await search(ada, 'mombasa', 3);
    await search(ada, 'mombasa from:bob', 1, 'green');
    await search(ada, 'mombasa has:code', 1, 'make deploy');
    await search(ada, 'mombasa in:"filter night"', 1, 'green');
    await search(ada, 'mombasa after:yesterday', 3);
    await search(ada, 'mombasa before:today', 0);
    await page.getByText('Nothing found').waitFor();
    await field(ada).fill('mombasa in:nowhere');
    await page.getByText('You have no channel named “nowhere”.').waitFor();
    await field(ada).fill('from:bob');
    await page.getByText('Add a word to search for.').waitFor();
    await search(ada, 'mombasa', 3);
    await page.getByRole('group', { name: 'Where to search' }).getByText('filter-a').click();
    await waitFor(async () => (await found(ada).count()) === 2, { what: 'two results' });
    expect(ada.pageErrors).toEqual([]);
  });

  it('is offered by the palette for what nothing else is named', async () => {
    const { ada } = await furnish('palette', 'kampala');
    await ada.page.keyboard.press('Control+k');
    await ada.page.getByRole('combobox').fill('kampala green');
    await ada.page.keyboard.press('Enter');
    expect(await field(ada).inputValue()).toBe('kampala green');
    await search(ada, 'kampala green', 1, 'is green');
  });
});
