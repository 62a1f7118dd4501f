import { describe, expect, it } from '@jest/globals';
import type { HubChannel } from '@openclaw/client';
import { waitFor } from '@openclaw/test-support';
import { setVisibility, useWorld, type Person } from '../testing/world.ts';

const world = useWorld();

async function sendLines(room: HubChannel, from: number, to: number) {
  for (let n = from; n <= to; n += 1) await room.send(`line ${n}.`);
}

const badge = ({ page }: Person, channelId: string) =>
  page.locator('.sidebar .chat-link', { hasText: channelId }).locator('.badge');

function stateReader() {
  const reader = world.agent('ada');
  return async (channelId: string) => {
    const { channels } = await reader.readState();
    return channels.find((channel) => channel.channelId === channelId);
  };
}

async function isInView(person: Person, selector: string): Promise<boolean> {
  return person.page.evaluate((name) => {
    const view = document.querySelector('.conversation .scroller')?.getBoundingClientRect();
    const box = document.querySelector(name)?.getBoundingClientRect();
    return view !== undefined && box !== undefined && box.top >= view.top && box.top < view.bottom;
  }, selector);
}

async function awayFrom(channelId: string) {
  const { agent, room, people } = await world.meet(channelId, ['ada']);
  const stateOf = stateReader();
  const [ada] = people;
  await agent.call('channel.create', { channelId: `${channelId}-2`, name: 'elsewhere' });
  await agent.call('member.add', { channelId: `${channelId}-2`, agentId: 'ada' });
  await sendLines(room, 1, 30);
  await ada.message('line 30.').waitFor();
  await waitFor(async () => (await stateOf(channelId))?.unread === 0, { what: 'the read mark' });
  await ada.open(`${channelId}-2`);
  await ada.page.getByRole('heading', { name: 'elsewhere' }).waitFor();
  return { room, ada, stateOf };
}

describe('a channel with new messages', () => {
  it('opens at the first one, below a line, and what was in view is read, no more', async () => {
    const { room, ada, stateOf } = await awayFrom('returned');
    await sendLines(room, 31, 230);
    await badge(ada, 'returned').getByText('200').waitFor();
    await ada.open('returned');
    await ada.message('line 31.').waitFor();
    await waitFor(() => isInView(ada, '.divider-new'), { what: 'the line is in view' });
    expect(await ada.page.locator('.divider-new').count()).toBe(1);
    expect(await isInView(ada, '.row:has(.divider-new)')).toBe(true);
    expect(await ada.message('line 230.').count()).toBe(0);
    const state = await stateOf('returned');
    expect(state?.unread).toBeGreaterThan(150);
    // The page loads later messages when the reader scrolls down to them, and marks them as read when they are in view.
    await ada.page.locator('.conversation .scroller').hover();
    await waitFor(
      async () => {
        if ((await ada.message('line 230.').count()) > 0) return true;
        await ada.page.mouse.wheel(0, 500);
        return false;
      },
      { timeoutMs: 60_000, everyMs: 60, what: 'the end' },
    );
    await ada.page.mouse.wheel(0, 5_000);
    await waitFor(async () => (await stateOf('returned'))?.unread === 0, {
      timeoutMs: 20_000,
      what: 'all to be read',
    });
    await badge(ada, 'returned').waitFor({ state: 'detached' });
    expect(ada.pageErrors).toEqual([]);
  });

  it('keeps its count when the reader jumps to the end, and leads back and to each mention', async () => {
    const { room, ada, stateOf } = await awayFrom('jumped');
    await sendLines(room, 31, 80);
    await room.send('@ada first call', { mentions: ['ada'] });
    await sendLines(room, 81, 140);
    await room.send('@ada second call', { mentions: ['ada'] });
    await sendLines(room, 141, 200);
    await badge(ada, 'jumped').getByText('2').waitFor();
    await ada.open('jumped');
    await ada.message('line 31.').waitFor();
    await ada.page.locator('.jump-to-new').click();
    await ada.message('line 200.').waitFor();
    const above = ada.page.locator('.new-above');
    await above.getByText(/^\d+ new since \d\d:\d\d$/).waitFor();
    expect((await stateOf('jumped'))?.mentions).toBe(2);
    await ada.page.getByRole('button', { name: '2 mentions' }).click();
    await ada.page.locator('.row-marked', { hasText: 'first call' }).waitFor();
    await ada.page.getByRole('button', { name: '2 mentions' }).click();
    await ada.page.locator('.row-marked', { hasText: 'second call' }).waitFor();
    await above.getByRole('button', { name: /new since/ }).click();
    await waitFor(() => isInView(ada, '.row:has(.divider-new)'), { what: 'the line' });
    await ada.page.locator('.jump-to-new').click();
    await ada.page.getByRole('button', { name: 'Mark as read' }).click();
    await waitFor(async () => (await stateOf('jumped'))?.mentions === 0, { what: 'the mark' });
    await above.waitFor({ state: 'detached' });
  });

  it('that was never opened says how many are new, and since when', async () => {
    const stateOf = stateReader();
    const helper = world.agent('helper');
    await helper.call('channel.create', { channelId: 'unseen', name: 'unseen' });
    const room = helper.channel('unseen');
    await room.addMember('ada');
    await sendLines(room, 1, 200);
    const ada = await world.person('ada');
    await ada.open('unseen');
    await ada.message('line 200.').waitFor();
    await ada.page.getByText(/^\d+ new since \d\d:\d\d$/).waitFor();
    expect((await stateOf('unseen'))?.unread).toBeGreaterThan(150);
    await ada.page.getByRole('button', { name: /new since/ }).click();
    await ada.message('line 1.').waitFor();
  });

  it('are not read while the page is hidden, and begin below a line', async () => {
    const { room, people } = await world.meet('hidden', ['ada']);
    const stateOf = stateReader();
    const [ada] = people;
    await sendLines(room, 1, 3);
    await ada.message('line 3.').waitFor();
    await waitFor(async () => (await stateOf('hidden'))?.unread === 0, { what: 'the mark' });
    await setVisibility(ada.page, 'hidden');
    await sendLines(room, 4, 6);
    await ada.page.locator('.row', { has: ada.page.locator('.divider-new') }).waitFor();
    const row = ada.page.locator('.row', { has: ada.page.locator('.divider-new') });
    expect(await row.textContent()).toContain('line 4.');
    expect((await stateOf('hidden'))?.unread).toBe(3);
    await setVisibility(ada.page, 'visible');
    await waitFor(async () => (await stateOf('hidden'))?.unread === 0, { what: 'the mark' });
    expect(await row.count()).toBe(1);
  });
});

describe('a message marked as unread', () => {
  it('is unread with those after it until the reader returns, here, in another tab and at the hub', async () => {
    const { room, ada, stateOf } = await awayFrom('kept');
    await ada.open('kept');
    await ada.message('line 30.').waitFor();
    const other = await ada.page.context().newPage();
    await other.goto(`${world.hub.httpUrl}#/channel/kept-2`);
    await other.getByRole('heading', { name: 'elsewhere' }).waitFor();
    await ada.message('line 28.').hover();
    await ada.message('line 28.').getByRole('button', { name: 'Mark unread' }).click();
    await badge(ada, 'kept').getByText('3').waitFor();
    await other.locator('.sidebar .chat-link', { hasText: 'kept' }).getByText('3').waitFor();
    await waitFor(async () => (await stateOf('kept'))?.unread === 3, { what: 'the mark' });
    const line = ada.page.locator('.row', { has: ada.page.locator('.divider-new') });
    expect(await line.textContent()).toContain('line 28.');
    // The next message does not mark the channel as read, although the message is in view.
    await room.send('line 31.');
    await ada.message('line 31.').waitFor();
    await badge(ada, 'kept').getByText('4').waitFor();
    expect((await stateOf('kept'))?.unread).toBe(4);
    await ada.open('kept-2');
    await ada.page.getByRole('heading', { name: 'elsewhere' }).waitFor();
    await ada.open('kept');
    await waitFor(async () => (await stateOf('kept'))?.unread === 0, { what: 'all to be read' });
    await badge(ada, 'kept').waitFor({ state: 'detached' });
    await ada.message('line 31.').focus();
    await ada.page.keyboard.press('u');
    await badge(ada, 'kept').getByText('1').waitFor();
    expect(ada.pageErrors).toEqual([]);
  });
});

describe('new replies', () => {
  it('count in their thread until it is opened, also after a reload', async () => {
    const { room, ada, stateOf } = await awayFrom('threaded');
    const { messageId } = await room.send('the root');
    await ada.open('threaded');
    await ada.message('the root').waitFor();
    await waitFor(async () => (await stateOf('threaded'))?.unread === 0, { what: 'the mark' });
    await ada.open('threaded-2');
    for (const n of [1, 2]) await room.send(`reply ${n}.`, { threadId: messageId });
    await ada.page.locator('.sidebar .badge-reply', { hasText: '2' }).waitFor();
    await ada.open('threaded');
    await ada.message('the root').getByText('2 new').waitFor();
    await room.send('after them');
    await ada.message('after them').waitFor();
    await waitFor(async () => (await stateOf('threaded'))?.unread === 0, { what: 'the mark' });
    expect(await ada.message('the root').getByText('2 new').count()).toBe(1);
    await waitFor(
      () =>
        ada.page.evaluate(() =>
          Object.keys(localStorage).some(
            (key) => key.includes('replies') && (localStorage[key] as string).includes('threaded'),
          ),
        ),
      { what: 'the replies to be kept' },
    );
    await ada.page.reload();
    await ada.open('threaded');
    await ada.page.getByRole('button', { name: '2 new replies' }).click();
    await ada.reply('reply 2.').waitFor();
    await ada.page.locator('.pane .row', { hasText: 'reply 1.' }).getByText('New').waitFor();
    await ada.message('the root').getByText('2 new').waitFor({ state: 'detached' });
    await ada.page.locator('.sidebar .badge-reply').waitFor({ state: 'detached' });
  });
});
