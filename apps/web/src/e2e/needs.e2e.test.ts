import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { setVisibility, useWorld, type Person } from '../testing/world.ts';

const world = useWorld();

const needs = ({ page }: Person, text = '') => page.locator('.need', { hasText: text });
const count = (person: Person, expected: number) =>
  waitFor(async () => (await needs(person).count()) === expected, {
    timeoutMs: 20_000,
    what: `${expected} needs`,
  });

async function whileAway(prefix: string) {
  const agent = world.agent('helper');
  const rooms = [`${prefix}-a`, `${prefix}-b`].map((channelId) => agent.channel(channelId));
  for (const room of rooms) {
    await agent.call('channel.create', { channelId: room.id, name: room.id });
    await room.addMember('ada');
  }
  const [first, second] = rooms as [(typeof rooms)[0], (typeof rooms)[0]];
  const mine = world.agent('ada');
  const { messageId } = await mine.channel(first.id).send('my root');
  await mine.close();
  await first.send('@ada first call', { mentions: ['ada'] });
  for (let n = 0; n < 60; n += 1) await first.send(`line ${n}.`);
  await first.send('an answer in your thread', { threadId: messageId });
  await second.send('@ada second call', { mentions: ['ada'] });
  await second.emit('build.failed', { step: 'link' });
  await agent.call('direct.send', { agentId: 'ada', content: 'a word with you' });
  return { agent, first, second };
}

describe('the list of what needs a person', () => {
  it('has all that came while the person was away, over all channels; done and snooze hold', async () => {
    const { first, second } = await whileAway('list');
    const ada = await world.person('ada');
    const { page } = ada;
    await page.keyboard.press('Alt+Shift+N');
    await page.getByRole('heading', { name: 'Needs you', level: 1 }).waitFor();
    await count(ada, 5);
    const away = ['first call', 'second call', 'in your thread', 'a word with you', 'link'];
    for (const text of away) expect(await needs(ada, text).count()).toBe(1);
    // The list shows an agent's repeated failure as one entry.
    await second.emit('task.failed', { reason: 'no space left' });
    await needs(ada, 'no space left').waitFor();
    await second.send('@ada third call', { mentions: ['ada'] });
    await needs(ada, 'third call').waitFor();
    await count(ada, 6);
    await needs(ada, 'first call').focus();
    await page.keyboard.press('Enter');
    await page.locator('.row-marked', { hasText: 'first call' }).waitFor();
    await page.keyboard.press('Alt+Shift+N');
    await waitFor(
      () => page.evaluate(() => document.activeElement?.textContent?.includes('first call')),
      { what: 'the focus on the same one' },
    );
    await page.keyboard.press('e');
    await count(ada, 5);
    await page.getByRole('button', { name: 'Undo' }).click();
    await count(ada, 6);
    await needs(ada, 'first call').focus();
    await page.keyboard.press('e');
    await needs(ada, 'second call').focus();
    await page.keyboard.press('s');
    await count(ada, 4);
    await page.getByRole('button', { name: '1 snoozed' }).click();
    await needs(ada, 'second call').waitFor();
    await page.evaluate(() => (location.hash = '#/direct/helper'));
    await ada.message('a word with you').waitFor();
    await ada.write('here I am');
    await page.locator('.rows .message', { hasText: 'here I am' }).waitFor();
    await page.reload();
    await ada.message('here I am').waitFor();
    await page.keyboard.press('Alt+Shift+N');
    await count(ada, 3);
    for (const text of ['third call', 'in your thread', 'no space left'])
      expect(await needs(ada, text).count()).toBe(1);
    await page.getByRole('button', { name: '1 snoozed' }).click();
    await page.getByRole('button', { name: 'Bring back' }).click();
    await needs(ada, 'second call').waitFor();
    await page.getByRole('button', { name: 'All done' }).click();
    await page.getByText('Nothing needs you.').waitFor();
    // The entry is acknowledged at the hub, so another browser shows nothing either.
    const reader = world.agent('ada');
    await waitFor(async () => (await reader.call('inbox.read', { limit: 10 })).items.length === 0, {
      timeoutMs: 20_000,
      what: 'the acknowledgement',
    });
    await first.send('no more');
    expect(ada.pageErrors).toEqual([]);
  });
});

async function withNotifications({ page }: Person) {
  await page.evaluate(() => {
    const shown: string[] = [];
    const asked = { count: 0 };
    class Fake {
      static permission = 'default';
      static requestPermission() {
        asked.count += 1;
        Fake.permission = 'granted';
        return Promise.resolve('granted');
      }
      onclick: (() => void) | null = null;
      constructor(title: string, { body = '' } = {}) {
        shown.push(`${title}: ${body}`);
        Object.assign(window, { lastNotification: this });
      }
      close() {}
    }
    Object.assign(window, { Notification: Fake, shown, asked });
  });
  return {
    shown: () => page.evaluate(() => (window as unknown as { shown: string[] }).shown),
    asked: () =>
      page.evaluate(() => (window as unknown as { asked: { count: number } }).asked.count),
    click: () =>
      page.evaluate(() =>
        (
          window as unknown as { lastNotification: { onclick: () => void } }
        ).lastNotification.onclick(),
      ),
  };
}

describe('notifications', () => {
  it('are asked for by a press, shown while the page is hidden, and lead to the message; the tab shows it', async () => {
    const { room, people } = await world.meet('alerts', ['eve']);
    const [eve] = people;
    const { page } = eve;
    const notifications = await withNotifications(eve);
    const iconOf = () =>
      page.evaluate(() => document.querySelector<HTMLLinkElement>('link[rel="icon"]')?.href);
    expect(await page.title()).toBe('alerts · OpenClaw');
    const quiet = await iconOf();
    // Notifications are off by default: the page does not ask for the permission and shows no notification.
    await setVisibility(page, 'hidden');
    await room.send('@eve before', { mentions: ['eve'] });
    await page.locator('.needs-link .badge', { hasText: '1' }).waitFor();
    expect(await notifications.asked()).toBe(0);
    await setVisibility(page, 'visible');
    await page.keyboard.press('Alt+Shift+N');
    await page.getByRole('button', { name: 'Turn on notifications' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Turn on' }).click();
    await page.getByText('On, while you are not looking').waitFor();
    expect(await notifications.asked()).toBe(1);
    expect(await page.getByLabel('Play a sound').isChecked()).toBe(false);
    await page.getByLabel('Play a sound').check();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await room.send('@eve seen', { mentions: ['eve'] });
    await count(eve, 2);
    const announcer = page.locator('.need-announcer[role="status"]');
    await waitFor(async () => (await announcer.textContent()) === 'helper mentions you in alerts', {
      what: 'the words for screen readers',
    });
    await setVisibility(page, 'hidden');
    await room.send('@eve **look** `here`', { mentions: ['eve'] });
    await room.send('nothing for eve');
    await waitFor(async () => (await notifications.shown()).length === 1, {
      what: 'the notification',
    });
    expect(await notifications.shown()).toEqual(['helper mentions you in alerts: @eve look here']);
    expect(await page.title()).toBe('(3) OpenClaw');
    expect(await iconOf()).not.toBe(quiet);
    await setVisibility(page, 'visible');
    await notifications.click();
    await page.locator('.row-marked', { hasText: 'look here' }).waitFor();
    await page.keyboard.press('Alt+Shift+N');
    // Like the notification, the list shows the text without its Markdown characters.
    expect(await needs(eve, '@eve look here').count()).toBe(1);
    await page.getByRole('button', { name: 'All done' }).click();
    await waitFor(async () => (await iconOf()) === quiet, { what: 'the quiet icon' });
    expect(await page.title()).toBe('OpenClaw');
    expect(eve.pageErrors).toEqual([]);
  });
});
