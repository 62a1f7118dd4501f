import { describe, expect, it } from '@jest/globals';
import { clickAction, useWorld, type Person } from '../testing/world.ts';

const world = useWorld();

async function choose({ page }: Person, item: string) {
  await page.getByRole('button', { name: 'More', exact: true }).click();
  await page.locator('.menu').getByText(item).click();
}

async function owned(channelId: string) {
  const { agent, room, people } = await world.meet(channelId, ['ada', 'bob']);
  const [ada, bob] = people;
  await room.updateMember('ada', { role: 'owner' });
  await ada.page.getByRole('button', { name: 'More', exact: true }).waitFor();
  return { agent, room, ada, bob };
}

describe('an owner', () => {
  it('renames a channel and gives it a topic, archives it, brings it back, and deletes it', async () => {
    const { ada, bob } = await owned('care');
    await choose(ada, 'Name and topic…');
    const dialog = ada.page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('Careful');
    await dialog.getByLabel('Topic (optional)').fill('Handle with care');
    await ada.page.keyboard.press('Enter');
    for (const { page } of [ada, bob]) {
      await page.getByRole('heading', { name: 'Careful', exact: true }).waitFor();
      await page.locator('.channel-header').getByText('Handle with care').waitFor();
    }
    await choose(ada, 'Archive this channel…');
    await dialog.getByRole('button', { name: 'Archive' }).click();
    for (const { page } of [ada, bob]) await page.getByText('This channel is archived').waitFor();
    await choose(ada, 'Bring back from the archive');
    for (const { page } of [ada, bob]) {
      await page.getByText('This channel is archived').waitFor({ state: 'detached' });
    }
    await bob.write('still here');
    await ada.message('still here').waitFor();

    await choose(ada, 'Delete this channel…');
    const remove = dialog.getByRole('button', { name: 'Delete' });
    expect(await remove.isDisabled()).toBe(true);
    await dialog.getByLabel('Type its name').fill('Careful');
    await remove.click();
    await ada.page.getByRole('heading', { name: 'Channels', level: 1 }).waitFor();
    await bob.page.getByText('You are not a member of this channel.').waitFor();
    expect([...ada.pageErrors, ...bob.pageErrors]).toEqual([]);
  });

  it('is asked before a member is removed, and adds by choice, so that a typo adds nobody', async () => {
    const { room, ada, bob } = await owned('asked');
    world.agent('robin');
    await room.addMember('robin');
    await ada.page.getByRole('button', { name: /^Members/ }).click();
    const remove = async () => {
      await ada.page.getByRole('button', { name: 'Change bob' }).click();
      await ada.page.getByRole('button', { name: 'Remove…' }).click();
    };
    await remove();
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await bob.write('not removed');
    await ada.message('not removed').waitFor();
    await remove();
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await bob.page.getByText('You are not a member of this channel.').waitFor();

    const members = ada.page.locator('.people .member');
    const field = ada.page.getByLabel('Add a member by name');
    await field.fill('boob');
    await ada.page.getByText('Nobody called boob is known.').waitFor();
    await ada.page.keyboard.press('Enter');
    await field.fill('bo');
    await ada.page.getByRole('option', { name: 'bob' }).waitFor();
    await ada.page.keyboard.press('Enter');
    await members.filter({ hasText: 'bob' }).waitFor();
    expect(await members.filter({ hasText: 'boob' }).count()).toBe(0);
    expect((await room.members()).members.map(({ agentId }) => agentId).sort()).toEqual([
      'ada',
      'bob',
      'helper',
      'robin',
    ]);
    expect(ada.pageErrors).toEqual([]);
  });

  it('does not write to a misspelt name from the palette', async () => {
    const { ada } = await owned('nobody');
    await ada.page.keyboard.press('Control+k');
    await ada.page.getByRole('combobox').fill('boob');
    await ada.page.getByText('Nobody and nothing here has this name.').waitFor();
  });
});

describe('an emoji', () => {
  it('is found by name and given by keyboard', async () => {
    const { room, people } = await world.meet('emoji', ['ada']);
    const [ada] = people;
    await room.send('It works');
    await ada.message('It works').waitFor();
    await clickAction(ada.message('It works'), 'React');
    await ada.page.getByLabel('Find an emoji').fill('octopus');
    await ada.page.locator('.picker').getByRole('button', { name: '🐙' }).waitFor();
    await ada.page.keyboard.press('Enter');
    await ada.message('It works').locator('.reaction', { hasText: '🐙' }).waitFor();
    await clickAction(ada.message('It works'), 'React');
    await ada.page.getByLabel('Find an emoji').fill('qqqq');
    await ada.page.getByText('No emoji has this name.').waitFor();
    await ada.page.keyboard.press('Escape');
    await ada.page.locator('.picker').waitFor({ state: 'detached' });
    expect(ada.pageErrors).toEqual([]);
  });
});
